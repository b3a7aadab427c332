import { expect, test } from 'vitest'
import { knowingOnly } from '../../../agent/cache/knowledge.ts'
import { createWorkloadCache } from '../../../agent/cache/workload-cache.ts'
import {
  keepX509Svids,
  MAX_BATCH,
  type SignX509,
  type X509Answer,
} from '../../../agent/cache/x509-svids.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { KeyType } from '../../../spiffe/key.ts'
import { parsePkcs8, spkiOf } from '../../../spiffe/key.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { parseCsr } from '../../../spiffe/x509/csr.ts'
import { leafSigner } from '../../../spiffe/x509/issue-leaf.ts'
import { testCa } from '../../fakes/ca.ts'
import { cachedEntry } from '../../fakes/cached-entry.ts'
import { FakeClock } from '../../fakes/clock.ts'

const ca = await testCa()
const signLeaf = leafSigner({ certificate: ca.certificate, key: ca.key })
const root = new Set([parseSelector('unix:uid:0')])

interface Options {
  readonly keyType?: KeyType
  readonly want?: 'missing' | 'stale'
  readonly maxSvids?: number
}

function setUp({ keyType = 'ec-p256', want = 'missing', maxSvids = 5000 }: Options = {}) {
  const clock = new FakeClock('2026-01-01T12:00:00Z')
  const cache = createWorkloadCache({ clock, maxSvids, known: knowingOnly(ca.bundle), svids: [] })
  const stop = new AbortController()
  const batches: string[][] = []
  const failures: { error: unknown; entryId?: string }[] = []
  const faults: ((entryId: string, spki: Uint8Array) => X509Answer | undefined)[] = []
  const state = { away: undefined as IdentityError | undefined }
  const sign: SignX509 = async (requests) => {
    batches.push(requests.map(({ entryId }) => entryId))
    if (state.away) throw state.away
    return requests.map(({ entryId, csr }) => {
      const { spki, uriSans } = parseCsr(csr)
      const fault = faults[0]?.(entryId, spki)
      if (fault) return fault
      const entry = cache.knowledge().entries.get(entryId)
      expect(uriSans).toEqual([entry?.id])
      return { kind: 'signed', chain: [leafFor(spki, entry?.id ?? cachedEntry('x').id, clock)] }
    })
  }
  const deps = {
    ...{ cache, sign, keyType, clock },
    policy: { availabilityTargetSeconds: undefined },
    onObtained: () => {},
    onFailure: (failure: { error: unknown; entryId?: string }) => failures.push(failure),
    random: () => 0.5,
  }
  const running = keepX509Svids(deps, want, stop.signal)
  return {
    ...{ clock, cache, batches, failures, faults, state },
    know(...ids: readonly string[]) {
      const entries = ids.map((id) => cachedEntry(id))
      cache.apply({ kind: 'snapshot', entries, bundle: undefined, federated: undefined })
    },
    settled: () => expect.poll(() => cache.plan().missing.length).toBe(0),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}

function leafFor(spki: Uint8Array, id: Parameters<typeof signLeaf>[0]['id'], clock: FakeClock) {
  const now = clock.now().getTime()
  const notBefore = new Date(now - 10_000)
  const notAfter = new Date(now + 3600_000)
  return signLeaf({ spki, id, dnsNames: [], notBefore, notAfter, serial: Buffer.of(1) })
}

test('a new entry gets an SVID at once, without any pause', async () => {
  await using run = setUp()
  run.know('a')
  await run.settled()
  const svid = run.cache.svids().get('a')
  expect(svid?.renewAt).toEqual(new Date('2026-01-01T12:30:00Z'))
  const leaf = parseCertificate(svid?.chain[0] ?? Buffer.alloc(0))
  expect(spkiOf(parsePkcs8(svid?.key ?? Buffer.alloc(0)))).toEqual(Buffer.from(leaf.spki))
})

test('an SVID that was asked for before the clock was set back is to be renewed, even if it came after', async () => {
  await using run = setUp()
  run.know('a')
  run.faults.push((id, spki) => {
    const leaf = leafFor(spki, cachedEntry(id).id, run.clock)
    run.faults.length = 0
    run.clock.advance(-3600_000)
    return { kind: 'signed', chain: [leaf] }
  })
  await run.settled()
  expect(run.cache.plan().stale).toMatchObject([{ entryId: 'a' }])
})

test('many entries are asked for in batches that the server takes', async () => {
  await using run = setUp()
  const ids = Array.from({ length: MAX_BATCH + 1 }, (_, at) => `e${at}`)
  run.know(...ids)
  await run.settled()
  expect(run.batches.map(({ length }) => length)).toEqual([MAX_BATCH, 1])
})

test('RSA keys are made for a few entries at a time, and do not block the process', async () => {
  await using run = setUp({ keyType: 'rsa-2048' })
  let turns = 0
  const spin = () => {
    turns += 1
    if (run.cache.plan().missing.length > 0) setImmediate(spin)
  }
  run.know('a', 'b')
  spin()
  await run.settled()
  expect(turns).toBeGreaterThan(10)
  const { key } = run.cache.svids().get('a') ?? {}
  expect(parsePkcs8(key ?? Buffer.alloc(0)).asymmetricKeyDetails?.modulusLength).toBe(2048)
})

test('a failed call is repeated after a pause, with half as many entries, and then more again', async () => {
  await using run = setUp()
  run.state.away = new IdentityError('UNAVAILABLE', 'away')
  run.know('a', 'b', 'c', 'd')
  await run.clock.sleepers(1)
  run.clock.advance(1_000)
  await run.clock.sleepers(1)
  expect(run.batches.map(({ length }) => length)).toEqual([4, 4])
  for (let failure = 0; failure < 8; failure++) {
    run.clock.advance(60_000)
    await run.clock.sleepers(1)
  }
  expect(run.batches.at(-1)).toHaveLength(1)
  run.state.away = undefined
  run.clock.advance(60_000)
  await run.settled()
  expect(run.batches.slice(-3).map(({ length }) => length)).toEqual([1, 2, 1])
})

test('news ends the pause after a failure: who comes now does not wait for the retry', async () => {
  await using run = setUp()
  run.state.away = new IdentityError('UNAVAILABLE', 'away')
  run.know('a')
  await run.clock.sleepers(1)
  run.state.away = undefined
  using _ = run.cache.subscribe(root)
  await run.settled()
})

const refusal = new IdentityError('NOT_AUTHORIZED', 'entry not found or not authorized')
const strange = await ca.leaf('/bad')
const signed = (...chain: readonly Uint8Array[]): X509Answer => ({ kind: 'signed', chain })
type Fault = (spki: Uint8Array, clock: FakeClock) => X509Answer

test.for<[string, Fault]>([
  ['is refused', () => ({ kind: 'refused', error: refusal })],
  ['gets no certificate', () => signed()],
  ['gets one for another key', () => signed(...strange.chain)],
  ['gets one for another ID', (spki, clock) => signed(leafFor(spki, cachedEntry('x').id, clock))],
  ['gets what is no certificate', () => signed(Buffer.from('x'))],
])('an entry that %s has no SVID, holds up no other, and is tried again', async ([, fault]) => {
  await using run = setUp()
  run.faults.unshift((entryId, spki) => (entryId === 'bad' ? fault(spki, run.clock) : undefined))
  run.know('bad', 'good')
  await run.clock.sleepers(1)
  expect([...run.cache.svids().keys()]).toEqual(['good'])
  expect(run.failures).toMatchObject([{ entryId: 'bad', error: expect.any(IdentityError) }])
  run.faults.length = 0
  run.clock.advance(5_000)
  await expect.poll(() => run.cache.svids().size).toBe(2)
  expect(run.batches).toEqual([['bad', 'good'], ['bad']])
})

test('stale SVIDs are renewed, and served until they are', async () => {
  await using missing = setUp()
  missing.know('a')
  await missing.settled()
  await using stale = setUp({ want: 'stale' })
  stale.know('a')
  stale.cache.store([...missing.cache.svids().values()])
  const before = stale.cache.svids().get('a')
  expect(stale.batches).toEqual([])
  stale.clock.advance(30 * 60_000)
  await expect.poll(() => stale.cache.svids().get('a')).not.toBe(before)
  expect(stale.batches).toEqual([['a']])
})

test('evicted SVIDs are dropped', async () => {
  await using run = setUp({ maxSvids: 1 })
  run.know('a')
  await run.settled()
  run.know('b')
  await expect.poll(() => [...run.cache.svids().keys()]).toEqual(['b'])
})
