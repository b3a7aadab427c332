import { expect, test } from 'vitest'
import type { CachedEntry } from '../../../agent/cache/entry.ts'
import { createJwtSvids } from '../../../agent/cache/jwt-svids.ts'
import { type Knowledge, knowingOnly } from '../../../agent/cache/knowledge.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { signJwtSvid } from '../../../spiffe/jwt/sign.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { cachedEntry } from '../../fakes/cached-entry.ts'
import { FakeClock } from '../../fakes/clock.ts'

const key = await generateKey('ec-p256')
const away = new IdentityError('UNAVAILABLE', 'the server cannot be reached')
const never = new AbortController().signal

const authority = (keyId: string, tainted = false) => ({
  keyId,
  publicKey: Buffer.from('p'),
  expiresAt: undefined,
  tainted,
})
const known = {
  ...emptyBundle(parseTrustDomain('example.org')),
  jwtAuthorities: [authority('k1'), authority('k2')],
}

function setUp(
  entries: readonly CachedEntry[] = [cachedEntry('a')],
  maxTokens = 10,
  renewalWaitMs?: number,
) {
  const clock = new FakeClock()
  const asked: string[] = []
  const state = {
    known: knowingOnly(known) as Knowledge,
    fault: undefined as IdentityError | undefined,
    /** Holds the answers back until it resolves. */
    gate: Promise.resolve(),
    keyId: 'k1',
    subject: undefined as string | undefined,
  }
  const know = (...now: readonly CachedEntry[]) => {
    state.known = { ...state.known, entries: new Map(now.map((one) => [one.entryId, one])) }
  }
  know(...entries)
  const fetch = createJwtSvids({
    cache: { knowledge: () => state.known },
    async sign(entryId, audience) {
      asked.push(`${entryId}:${audience.join(',')}`)
      await state.gate
      if (state.fault) throw state.fault
      const issuedAt = clock.now()
      const expiresAt = new Date(issuedAt.getTime() + 300_000)
      const id = cachedEntry(state.subject ?? entryId).id
      const jti = String(asked.length)
      return await signJwtSvid({ key, keyId: state.keyId, id, audience, issuedAt, expiresAt, jti })
    },
    maxTokens,
    renewalWaitMs,
    clock,
    random: () => 0.5,
    signal: never,
  })
  const tokenOf = async (entry = cachedEntry('a'), audience = ['x'], signal = never) =>
    (await fetch(entry, audience, signal)).token
  return { clock, asked, state, know, fetch, tokenOf }
}

test('a token bears the ID and the hint of its entry', async () => {
  const { fetch, clock } = setUp([cachedEntry('a', { hint: 'db' })])
  const svid = await fetch(cachedEntry('a'), ['x'], never)
  expect(svid).toMatchObject({ id: 'spiffe://example.org/a', hint: 'db' })
  expect(svid.expiresAt).toEqual(new Date(clock.now().getTime() + 300_000))
})

test('a young token is used again, in whatever order the audiences are named', async () => {
  const { clock, asked, tokenOf } = setUp()
  const first = await tokenOf(cachedEntry('a'), ['x', 'y'])
  clock.advance(149_000)
  expect(await tokenOf(cachedEntry('a'), ['y', 'x'])).toBe(first)
  expect(asked).toHaveLength(1)
})

test.for<[string, CachedEntry, readonly string[]]>([
  ['another audience', cachedEntry('a'), ['y']],
  ['fewer audiences', cachedEntry('a'), []],
  ['audiences that look alike when joined', cachedEntry('a'), ['x,y']],
  ['another entry', cachedEntry('b'), ['x', 'y']],
])('a token is not used for %s', async ([, entry, audience]) => {
  const { asked, tokenOf } = setUp([cachedEntry('a'), cachedEntry('b')])
  const first = await tokenOf(cachedEntry('a'), ['x', 'y'])
  expect(await tokenOf(entry, [...audience, 'z'])).not.toBe(first)
  expect(asked).toHaveLength(2)
})

test('a token is not used after its entry has changed', async () => {
  const { asked, tokenOf, know } = setUp()
  await tokenOf()
  know(cachedEntry('a', { revision: 1 }))
  await tokenOf()
  expect(asked).toHaveLength(2)
})

test('a token is renewed from half of its life on', async () => {
  const { clock, tokenOf } = setUp()
  const first = await tokenOf()
  clock.advance(150_000)
  expect(await tokenOf()).not.toBe(first)
})

test('while the server is away a token is used to its end, and not beyond', async () => {
  const { clock, state, tokenOf } = setUp()
  const first = await tokenOf()
  state.fault = new IdentityError('INTERNAL', 'broken')
  clock.advance(299_000)
  expect(await tokenOf()).toBe(first)
  clock.advance(1_000)
  await expect(tokenOf()).rejects.toMatchObject({ code: 'INTERNAL' })
})

test('who has a valid token does not wait long for a younger one', async () => {
  const { clock, state, tokenOf } = setUp()
  const first = await tokenOf()
  clock.advance(200_000)
  const answer = Promise.withResolvers<void>()
  state.gate = answer.promise
  const second = tokenOf()
  await clock.sleepers(1)
  clock.advance(2_000)
  expect(await second).toBe(first)
  answer.resolve()
  await expect.poll(() => tokenOf()).not.toBe(first)
})

test('who has a valid token waits as long for a younger one as the operator says', async () => {
  const { clock, state, tokenOf } = setUp(undefined, undefined, 5_000)
  const first = await tokenOf()
  clock.advance(200_000)
  const answer = Promise.withResolvers<void>()
  state.gate = answer.promise
  const second = tokenOf()
  await clock.sleepers(1)
  clock.advance(4_999)
  expect(clock.sleeping).toBe(1)
  clock.advance(1)
  expect(await second).toBe(first)
  answer.resolve()
})

test('a server that is away is tried again for half a minute', async () => {
  const { clock, state, asked, tokenOf } = setUp()
  state.fault = away
  const token = tokenOf()
  const failed = expect(token).rejects.toBe(away)
  for (let waited = 0; waited < 30_000; waited += 5_000) {
    await expect.poll(() => clock.sleeping).toBe(1)
    clock.advance(5_000)
  }
  await failed
  expect(asked.length).toBeGreaterThan(3)
})

test('a server that comes back meanwhile gives the token', async () => {
  const { clock, state, tokenOf } = setUp()
  state.fault = away
  const token = tokenOf()
  await clock.sleepers(1)
  state.fault = undefined
  clock.advance(1_000)
  expect(await token).toMatch(/^ey/)
})

test('a refusal is passed on at once', async () => {
  const { state, asked, tokenOf } = setUp()
  state.fault = new IdentityError('NOT_IMPLEMENTED', 'JWT functionality is disabled')
  await expect(tokenOf()).rejects.toMatchObject({ code: 'NOT_IMPLEMENTED' })
  expect(asked).toHaveLength(1)
})

test('many who want the same token ask the server once', async () => {
  const { asked, tokenOf } = setUp()
  const tokens = await Promise.all(Array.from({ length: 20 }, () => tokenOf()))
  expect(new Set(tokens).size).toBe(1)
  expect(asked).toHaveLength(1)
})

test('one of them who goes away takes nothing from the others', async () => {
  const { state, tokenOf } = setUp()
  const answer = Promise.withResolvers<void>()
  state.gate = answer.promise
  const leaving = new AbortController()
  const left = tokenOf(cachedEntry('a'), ['x'], leaving.signal)
  const stayed = tokenOf()
  leaving.abort()
  await expect(left).rejects.toMatchObject({ code: 'CANCELED' })
  answer.resolve()
  expect(await stayed).toMatch(/^ey/)
})

test('an entry whose tokens have IDs of their own gets a new one each time', async () => {
  const { asked, tokenOf } = setUp([cachedEntry('a', { jti: true })])
  const tokens = await Promise.all([tokenOf(), tokenOf()])
  expect(new Set([...tokens, await tokenOf()]).size).toBe(3)
  expect(asked).toHaveLength(3)
})

test.for([
  ['tainted', [authority('k1', true), authority('k2')]],
  ['revoked before anybody asked for it while it was tainted', [authority('k2')]],
] as const)('a token is not used again when its key is %s', async ([, jwtAuthorities]) => {
  const { state, tokenOf } = setUp()
  const first = await tokenOf()
  state.known = { ...state.known, bundle: { ...state.known.bundle, jwtAuthorities } }
  state.keyId = 'k2'
  const second = await tokenOf()
  expect(second).not.toBe(first)
  expect(await tokenOf()).toBe(second)
})

test.for([
  ['that is gone', []],
  ['that is another workload’s now', [{ ...cachedEntry('b'), entryId: 'a' }]],
] as const)('refuses a token for an entry %s', async ([, entries]) => {
  const { tokenOf, asked } = setUp([...entries])
  await expect(tokenOf()).rejects.toMatchObject({ code: 'NO_IDENTITY_ISSUED' })
  expect(asked).toEqual([])
})

test('refuses a token that the server made for somebody else', async () => {
  const { state, tokenOf } = setUp()
  state.subject = 'b'
  await expect(tokenOf()).rejects.toMatchObject({ code: 'INTERNAL' })
})

test('the least recently used token makes room for a new one', async () => {
  const { asked, tokenOf } = setUp(undefined, 2)
  const [a] = [cachedEntry('a')]
  for (const audience of ['1', '2', '1', '3', '1']) await tokenOf(a, [audience])
  expect(asked).toEqual(['a:1', 'a:2', 'a:3'])
  await tokenOf(a, ['2'])
  expect(asked).toHaveLength(4)
})

test('a token of a time that was taken back is renewed, and used only while the server is away', async () => {
  const { clock, asked, state, tokenOf } = setUp()
  const first = await tokenOf()
  clock.advance(-3_600_000)
  state.fault = new IdentityError('REQUEST_INVALID', 'no')
  expect(await tokenOf()).toBe(first)
  state.fault = undefined
  expect(await tokenOf()).not.toBe(first)
  expect(asked).toHaveLength(3)
})
