/** Several servers on one store, each with keys, journal and loops of its own, in a time that passes faster than ours. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openLocalBundle } from '../../../server/bundle/local-bundle.ts'
import { memoryKeyStore } from '../../../server/ca/key-store/memory.ts'
import { openCa } from '../../../server/ca/open-ca.ts'
import { createRotationMemory } from '../../../server/ca/rotation-memory.ts'
import { createSigningLedger } from '../../../server/issue/signing-ledger.ts'
import { joinServers } from '../../../server/servers/join-servers.ts'
import { knownToOthers, openServers } from '../../../server/servers/open-servers.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { type Clock, systemClock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain, spiffeId } from '../../../spiffe/id.ts'
import { runLoops } from '../../../spiffe/running-loops.ts'
import { authorityIdOf } from '../../../spiffe/x509/key-id.ts'
import { memoryLog } from '../../fakes/memory-log.ts'

const trustDomain = parseTrustDomain('example.org')
const FASTER = 15

const options = {
  ...({ trustDomain, caKeyType: 'ec-p256', jwtKeyType: 'ec-p256' } as const),
  caSubject: { country: [], organization: [], commonName: undefined },
  ...{ caTtlSeconds: 86_400, disableJwtSvids: false },
}

let store: Store
let clock: Clock
let stack: AsyncDisposableStack
beforeEach(async () => {
  const started = systemClock.now().getTime()
  clock = {
    now: () => new Date(started + (systemClock.now().getTime() - started) * FASTER),
    sleep: (ms, signal) => systemClock.sleep(ms / FASTER, signal),
  }
  store = await openStore({ path: ':memory:', clock })
  stack = new AsyncDisposableStack()
  stack.defer(() => store.close())
})
afterEach(() => stack.disposeAsync())

type Member = Awaited<ReturnType<typeof startMember>>

/** @param waits as a real one does, for the others to hear of it */
async function startMember(waits = false) {
  const dataDir = mkdtempSync(join(tmpdir(), 'steeple-member-'))
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }))
  const stop = new AbortController()
  const { log } = memoryLog()
  // As kill -9: nothing of it reaches the store any more.
  let isKilled = false
  const beat: Store['servers']['beat'] = async (...args) => {
    if (isKilled) throw new IdentityError('UNAVAILABLE', 'killed')
    return await store.servers.beat(...args)
  }
  const list: Store['servers']['list'] = () => store.servers.list()
  const own = { ...store, servers: { ...store.servers, beat, list } }
  const base = { store: own, clock, signal: stop.signal, log }
  const dataStore = { kind: 'postgres' } as const
  const config = { dataDir, bindAddress: '127.0.0.1', bindPort: 8081, dataStore }
  const joined = await joinServers(config, { ...base, version: '1' })
  const bundle = await openLocalBundle(store.bundles, trustDomain)
  const rotations = createRotationMemory()
  const ledger = createSigningLedger(clock)
  const ca = await openCa(options, {
    ...{ journalStore: store.caJournal, serverKey: joined.key, keyStore: memoryKeyStore() },
    ...{ publication: bundle, clock, randomBytes, log, memory: rotations },
    beforeFirst: waits ? () => knownToOthers(bundle, { ...base, joined }) : undefined,
  })
  const opened = await openServers({
    ...{ ca, bundle, store: own, joined, ledger, rotations, hasUpstream: false, clock, log },
  })
  const loops = runLoops(opened.loops)
  const kill = async () => {
    isKilled = true
    await loops[Symbol.asyncDispose]()
  }
  stack.use(joined)
  stack.use(loops)
  return { key: joined.key, ...opened, bundle, ca, kill }
}

const slotsOf = async (asked: Member, of: Member) => {
  const { servers } = await asked.servers.overview('x509')
  const found = servers.find(({ server }) => server.key === of.key)
  const idOf = (name: 'prepared' | 'active' | 'old') => found?.[name]?.authority.id
  return {
    state: found?.state,
    prepared: idOf('prepared'),
    active: idOf('active'),
    old: idOf('old'),
  }
}
const inBundle = async () => {
  const bundle = await store.bundles.find(trustDomain)
  return bundle?.x509Authorities.map(({ der }) => authorityIdOf(der)) ?? []
}
/** As after taint and revocation of all that it had. */
const withoutThoseOf = ({ ca }: Member, bundle: Bundle): Bundle => ({
  ...bundle,
  x509Authorities: bundle.x509Authorities.filter(
    ({ der }) => authorityIdOf(der) !== ca.x509.slots().active?.id,
  ),
  jwtAuthorities: bundle.jwtAuthorities.filter(({ keyId }) => keyId !== ca.jwt?.slots().active?.id),
  sequenceNumber: bundle.sequenceNumber + 1,
})
const activeOf = ({ ca }: Member) => ca.x509.slots().active?.id ?? ''

test('each server has authorities of its own, and one bundle has those of all', async () => {
  const [a, b, c] = [await startMember(), await startMember(), await startMember()]
  const all = [a, b, c].map(activeOf)
  expect(new Set(all).size).toBe(3)
  expect((await inBundle()).sort()).toEqual(all.sort())
  const listed = await b.servers.list()
  expect(listed.map(({ key }) => key).sort()).toEqual([a.key, b.key, c.key].sort())
  expect(listed.map(({ state }) => state).sort()).toEqual(['here', 'living', 'living'])
})

test('the first server signs at once; a further one gives the others time to hear of it', async () => {
  const begun = clock.now().getTime()
  await startMember(true)
  expect(clock.now().getTime() - begun).toBeLessThan(10_000)
  const b = await startMember(true)
  const { active } = b.ca.x509.slots()
  expect(clock.now().getTime() - (active?.issuedAt.getTime() ?? 0)).toBeGreaterThan(6_000)
})

test('an authority is prepared, activated and replaced from another server', async () => {
  const [a, b] = [await startMember(), await startMember()]
  const before = activeOf(b)
  const ask = (question: Parameters<Member['servers']['askFor']>[1]) =>
    a.servers.askFor(b.key, question)
  const prepared = await ask({ ask: 'prepare', kind: 'x509', active: before })
  expect(await ask({ ask: 'prepare', kind: 'x509', active: before })).toBe(prepared)
  expect(await slotsOf(a, b)).toMatchObject({ state: 'answering', prepared, active: before })
  await ask({ ask: 'activate', kind: 'x509', id: prepared })
  expect(await ask({ ask: 'activate', kind: 'x509', id: prepared })).toBe(prepared)
  expect(await slotsOf(a, b)).toMatchObject({ active: prepared, old: before })
  await a.servers.retire('taint', 'x509', before, [])
  await a.servers.retire('revoke', 'x509', before, [])
  expect(await inBundle()).not.toContain(before)
  expect(activeOf(b)).toBe(prepared)
})

test('what another server refuses is refused here, in its words', async () => {
  const [a, b] = [await startMember(), await startMember()]
  await expect(
    a.servers.askFor(b.key, { ask: 'prepare', kind: 'x509', active: activeOf(a) }),
  ).rejects.toMatchObject({
    code: 'PRECONDITION_FAILED',
    message: expect.stringContaining('does not sign'),
  })
  await expect(
    a.servers.askFor(b.key, { ask: 'discard', kind: 'x509', id: activeOf(b) }),
  ).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
  await expect(
    a.servers.askFor('nobody', { ask: 'activate', kind: 'x509', id: 'x' }),
  ).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('what a living server signs with can be neither tainted nor revoked', async () => {
  const [a, b] = [await startMember(), await startMember()]
  for (const step of ['taint', 'revoke'] as const) {
    for (const id of [activeOf(a), activeOf(b)]) {
      await expect(a.servers.retire(step, 'x509', id, [a.key, b.key])).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      })
    }
  }
  expect((await inBundle()).length).toBe(2)
})

test('a server that is lost is left out by its key alone, its authorities go, and then it is forgotten', async () => {
  const [a, b] = [await startMember(), await startMember()]
  const lost = activeOf(b)
  await b.kill()
  await expect.poll(async () => (await slotsOf(a, b)).state, { timeout: 5_000 }).toBe('silent')
  await expect(a.servers.retire('taint', 'x509', lost, [])).rejects.toMatchObject({
    message: expect.stringContaining(`-without ${b.key}`),
  })
  await expect(a.servers.forget(b.key)).rejects.toMatchObject({
    message: expect.stringContaining(`authority rotate x509 -authorityID ${lost}`),
  })
  for (const step of ['taint', 'revoke'] as const) {
    await a.servers.retire(step, 'x509', lost, [b.key])
    const jwt = b.ca.jwt?.slots().active?.id ?? ''
    await a.servers.retire(step, 'jwt', jwt, [b.key])
  }
  await a.servers.forget(b.key)
  expect((await a.servers.list()).map(({ key }) => key)).toEqual([a.key])
  expect(await inBundle()).toEqual([activeOf(a)])
  expect(await store.caJournal.load(b.key)).toBeUndefined()
})

test('a server that was left out and comes back signs nothing with what was tainted', async () => {
  const [a, b] = [await startMember(), await startMember()]
  const lost = activeOf(b)
  await b.kill()
  await expect.poll(async () => (await slotsOf(a, b)).state, { timeout: 5_000 }).toBe('silent')
  await a.servers.retire('taint', 'x509', lost, [b.key])
  expect(b.ca.x509.signer()?.authority.id).toBe(lost)
  await b.bundle.refresh()
  expect(b.ca.x509.signer()).toBeUndefined()
  expect(b.ca.x509.slots().active).toBeUndefined()
})

test('when the last signature of a lost server ends is known without it', async () => {
  const [a, b] = [await startMember(), await startMember()]
  const authorityId = activeOf(b)
  const expiresAt = new Date(clock.now().getTime() + 3_600_000)
  const holder = spiffeId(trustDomain, '/spire/agent/x')
  const signed = { kind: 'minted-x509-svid', holder, authorityId, expiresAt } as const
  await b.ledger.record(signed, { kind: 'adds' })
  await b.kill()
  await expect.poll(async () => (await slotsOf(a, b)).state, { timeout: 5_000 }).toBe('silent')
  const { servers } = await a.servers.overview('x509')
  const lost = servers.find(({ server }) => server.key === b.key)
  const until = lost?.active?.unknownUntil?.getTime() ?? 0
  expect(until).toBeGreaterThanOrEqual(expiresAt.getTime())
  expect(until).toBeLessThan(expiresAt.getTime() + 3_600_000)
  // With its other authority it has signed nothing at all.
  const jwt = (await a.servers.overview('jwt')).servers.find(({ server }) => server.key === b.key)
  expect(jwt?.active).toMatchObject({ uses: [], unknownUntil: undefined })
})

test('this server cannot be forgotten, nor one that lives', async () => {
  const [a, b] = [await startMember(), await startMember()]
  for (const key of [a.key, b.key]) {
    await expect(a.servers.forget(key)).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
  }
  await expect(a.servers.forget('x')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('nobody is forgotten unasked who was there lately, or whose authorities are trusted', async () => {
  const [a, b] = [await startMember(), await startMember()]
  await b.kill()
  await expect.poll(async () => (await slotsOf(a, b)).state, { timeout: 5_000 }).toBe('silent')
  expect(await a.servers.forgetSpent()).toEqual([])
  const old = (await store.servers.list()).map((row) => ({ ...row, seenMsAgo: 2 * 86_400_000 }))
  const listed = vi.spyOn(store.servers, 'list').mockResolvedValue(old)
  expect(await a.servers.forgetSpent()).toEqual([])
  await store.bundles.update(trustDomain, (bundle) => bundle && withoutThoseOf(b, bundle))
  expect(await a.servers.forgetSpent()).toEqual([b.key])
  listed.mockRestore()
})
