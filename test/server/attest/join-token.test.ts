import { afterEach, beforeEach, expect, test } from 'vitest'
import { joinTokenAgentId, joinTokenAttestor } from '../../../server/attest/join-token.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'

const trustDomain = parseTrustDomain('example.org')
let clock: FakeClock
let store: Store
beforeEach(async () => {
  clock = new FakeClock()
  store = await openStore({ path: ':memory:', clock })
})
afterEach(() => store.close())

const attest = (token: string) =>
  joinTokenAttestor({ trustDomain, joinTokens: store.joinTokens, clock }).attest(
    Buffer.from(token),
    () => expect.unreachable('a join token is never challenged'),
    '127.0.0.1',
  )

const inSeconds = (seconds: number) => new Date(clock.now().getTime() + seconds * 1000)

test('a token stands for one node that cannot attest again and has no selectors', async () => {
  await store.joinTokens.create({ token: 't', expiresAt: inSeconds(60) })
  expect(await attest('t')).toEqual({
    id: 'spiffe://example.org/spire/agent/join_token/t',
    canReattest: false,
    selectors: [],
  })
})

test('a token is refused the second time', async () => {
  await store.joinTokens.create({ token: 't', expiresAt: inSeconds(60) })
  await attest('t')
  await expect(attest('t')).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: 'failed to attest: join token does not exist or has already been used',
  })
})

test('of two attempts at once, one is refused', async () => {
  await store.joinTokens.create({ token: 't', expiresAt: inSeconds(60) })
  const outcomes = await Promise.allSettled([attest('t'), attest('t')])
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
})

test('an expired token is refused, and used up all the same', async () => {
  await store.joinTokens.create({ token: 't', expiresAt: inSeconds(60) })
  clock.advance(61_000)
  await expect(attest('t')).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: 'join token expired',
  })
  await expect(attest('t')).rejects.toThrow(/does not exist/)
})

test.for(['', 'guess', 't\u0000', '../server'])(
  'a token nobody made is refused: %j',
  async (token) => {
    await expect(attest(token)).rejects.toThrow(/does not exist/)
  },
)

test.for(['has space', 'a//b', '..', '../../server', 'x/../y', 'a\u0000b', 'ä'])(
  'no agent ID is made of a token that could break out of its place: %j',
  (token) => {
    expect(() => joinTokenAgentId(trustDomain, token)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    )
  },
)
