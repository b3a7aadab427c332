import { expect, test } from 'vitest'
import type { CachedEntry } from '../../../agent/cache/entry.ts'
import { knowingOnly } from '../../../agent/cache/knowledge.ts'
import { serveIdentities } from '../../../agent/cache/serve-identities.ts'
import { createWorkloadCache } from '../../../agent/cache/workload-cache.ts'
import { type Bundle, emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain, type TrustDomain } from '../../../spiffe/id.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { cachedEntry, cachedSvid } from '../../fakes/cached-entry.ts'
import { FakeClock } from '../../fakes/clock.ts'

const own = parseTrustDomain('example.org')
const partner = parseTrustDomain('partner.org')
const root = new Set(['unix:uid:0', 'unix:gid:0'].map(parseSelector))
const nobody = new Set([parseSelector('unix:uid:65534')])

function bundleOf(trustDomain: TrustDomain, text: string, sequenceNumber = 1): Bundle {
  const x509Authorities = [{ der: Buffer.from(text), tainted: false }]
  return { ...emptyBundle(trustDomain), x509Authorities, sequenceNumber }
}

function setUp() {
  const clock = new FakeClock()
  const known = knowingOnly(bundleOf(own, 'root'))
  const cache = createWorkloadCache({ clock, maxSvids: 10, known, svids: [] })
  const source = serveIdentities(cache, async () => {
    throw new Error('not asked for here')
  })
  const stop = new AbortController()
  return {
    ...{ clock, cache, source, stop },
    know(...entries: readonly CachedEntry[]) {
      cache.apply({ kind: 'snapshot', entries, bundle: undefined, federated: undefined })
    },
    give(...entries: readonly CachedEntry[]) {
      cache.store(entries.map((entry) => cachedSvid(entry, clock.now())))
    },
    tell(bundle: Bundle | undefined, federated: readonly Bundle[] = []) {
      const map = new Map(federated.map((one) => [one.trustDomain, one]))
      cache.apply({ kind: 'bundles', bundle, federated: map })
    },
    x509: (selectors = root) => {
      const updates = source.watchX509(selectors, stop.signal)[Symbol.asyncIterator]()
      return {
        next: async () => {
          const { value } = await updates.next()
          return value?.identities.map((one: { id: string }) => one.id.split('/').at(-1))
        },
        full: async () => (await updates.next()).value,
      }
    },
    bundles: (selectors = root) => {
      const updates = source.watchBundles(selectors, stop.signal)[Symbol.asyncIterator]()
      return { next: async () => (await updates.next()).value }
    },
  }
}

/** Whether a promise is still open after all that can happen by itself has happened. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending
}

test('a workload that no entry matches is told so at once', async () => {
  const { know, x509 } = setUp()
  know(cachedEntry('a'))
  expect(await x509(nobody).next()).toEqual([])
})

test('workloads that are alike are shown the very same update, and each other one its own', async () => {
  const { know, give, x509 } = setUp()
  const a = cachedEntry('a')
  know(a)
  give(a)
  const alike = [x509(new Set(root)), x509(new Set(root))]
  const [one, other] = await Promise.all(alike.map(({ full }) => full()))
  expect(one).toBe(other)
  expect(one?.identities).toHaveLength(1)
  expect(await x509(nobody).next()).toEqual([])
})

test('what was shared is shown to nobody once its SVID may not be handed out', async () => {
  const { know, give, x509, clock } = setUp()
  const a = cachedEntry('a')
  know(a)
  give(a)
  const before = await x509(new Set(root)).full()
  clock.advance(before.identities[0].expiresAt.getTime() - clock.now().getTime() + 1)
  const late = x509(new Set(root)).full()
  expect(await isPending(late)).toBe(true)
  give(a)
  expect(await late).not.toBe(before)
})

test('a change of the bundle is in what is shared from then on', async () => {
  const { know, give, tell, x509 } = setUp()
  const a = cachedEntry('a')
  know(a)
  give(a)
  const before = await x509(new Set(root)).full()
  tell(bundleOf(own, 'next root', 2))
  const after = await x509(new Set(root)).full()
  expect(after).not.toBe(before)
  expect(after.bundle.x509Authorities[0].der.toString()).toBe('next root')
})

test('a workload waits until all of its entries have SVIDs, and then gets them in entry-ID order', async () => {
  const { know, give, x509 } = setUp()
  const [a, b] = [cachedEntry('a'), cachedEntry('b')]
  know(b, a)
  give(b)
  const first = x509().next()
  expect(await isPending(first)).toBe(true)
  give(a)
  expect(await first).toEqual(['a', 'b'])
})

test('a renewed SVID reaches an open stream, and what changes nothing does not', async () => {
  const { know, give, x509, tell } = setUp()
  const a = cachedEntry('a')
  know(a)
  give(a)
  const stream = x509()
  const before = await stream.full()
  const after = stream.full()
  know(a)
  tell(bundleOf(own, 'root', 2))
  expect(await isPending(after)).toBe(true)
  give(a)
  expect((await after)?.identities[0]?.chain).not.toBe(before?.identities[0]?.chain)
})

test('new and deleted entries reach an open stream', async () => {
  const { know, give, x509 } = setUp()
  const [a, b] = [cachedEntry('a'), cachedEntry('b')]
  know(a)
  give(a)
  const stream = x509()
  expect(await stream.next()).toEqual(['a'])
  know(a, b)
  give(b)
  expect(await stream.next()).toEqual(['a', 'b'])
  know()
  expect(await stream.next()).toEqual([])
})

test('an SVID is never handed out after its end, nor under an ID that its entry no longer has', async () => {
  const { clock, know, give, x509 } = setUp()
  const a = cachedEntry('a')
  know(a)
  give(a)
  clock.advance(3600_000)
  expect(await isPending(x509().next())).toBe(true)
  give(a)
  know({ ...cachedEntry('other'), entryId: 'a', revision: 1 })
  expect(await isPending(x509().next())).toBe(true)
})

test('whoever asks by SPIFFE ID has every entry, whatever its hint', async () => {
  const { know, give, source, stop } = setUp()
  const entries = ['a', 'b'].map((name) => cachedEntry(name, { hint: 'same' }))
  know(...entries)
  give(...entries)
  const updates = source.watchEveryX509(root, stop.signal)[Symbol.asyncIterator]()
  const { value } = await updates.next()
  expect(value?.identities.map(({ entryId }: { entryId: string }) => entryId)).toEqual(['a', 'b'])
})

test('of entries with the same hint only the oldest is served, and waited for', async () => {
  const { know, give, x509, source } = setUp()
  const [young, old] = [
    cachedEntry('a', { hint: 'db', createdAt: 2 }),
    cachedEntry('b', { hint: 'db', createdAt: 1 }),
  ]
  know(young, old)
  give(old)
  expect(await x509().next()).toEqual(['b'])
  expect(source.matching(root).map(({ entryId }) => entryId)).toEqual(['b'])
})

test('an SVID meant for a store is not served', async () => {
  const { know, give, x509, source } = setUp()
  const a = cachedEntry('a', { storeSvid: true })
  know(a)
  give(a)
  expect(await x509().next()).toEqual([])
  expect(source.matching(root)).toEqual([])
})

test('a workload gets the federated bundles of its own entries and of no others', async () => {
  const { know, give, tell, x509, bundles } = setUp()
  const a = cachedEntry('a', { federatesWith: [partner] })
  const b = cachedEntry('b', {
    federatesWith: [parseTrustDomain('foreign.org')],
    selectors: [...nobody],
  })
  know(a, b)
  give(a, b)
  const foreign = bundleOf(parseTrustDomain('foreign.org'), 'foreign')
  tell(undefined, [bundleOf(partner, 'partner'), foreign])
  expect((await x509().full())?.federatedBundles).toEqual([bundleOf(partner, 'partner')])
  expect(await bundles().next()).toEqual({
    hasIdentity: true,
    bundle: bundleOf(own, 'root'),
    federatedBundles: [bundleOf(partner, 'partner')],
  })
  const stranger = await bundles(new Set([parseSelector('x:y')])).next()
  expect(stranger).toMatchObject({ hasIdentity: false, federatedBundles: [] })
})

test('bundles are told when their keys change, and not for a sequence number or a taint', async () => {
  const { know, tell, bundles, stop } = setUp()
  know(cachedEntry('a', { federatesWith: [partner] }))
  const stream = bundles()
  await stream.next()
  const second = stream.next()
  tell(bundleOf(own, 'root', 5))
  const { x509Authorities } = bundleOf(own, 'root')
  const tainted = x509Authorities.map(({ der }) => ({ der, tainted: true }))
  tell({ ...bundleOf(own, 'root', 6), x509Authorities: tainted })
  expect(await isPending(second)).toBe(true)
  tell(undefined, [bundleOf(partner, 'partner')])
  expect((await second)?.federatedBundles).toHaveLength(1)
  const keyed = { keyId: 'k', publicKey: Buffer.from('p'), expiresAt: undefined, tainted: false }
  tell({ ...bundleOf(own, 'root', 6), jwtAuthorities: [keyed] })
  expect((await stream.next())?.bundle.jwtAuthorities).toEqual([keyed])
  const last = stream.next()
  stop.abort()
  expect(await last).toBeUndefined()
})

test('a slow reader gets the newest state alone', async () => {
  const { know, give, x509 } = setUp()
  const entries = ['a', 'b', 'c'].map((id) => cachedEntry(id))
  const stream = x509()
  expect(await stream.next()).toEqual([])
  for (let count = 1; count <= 3; count++) {
    know(...entries.slice(0, count))
    give(...entries.slice(0, count))
  }
  expect(await stream.next()).toEqual(['a', 'b', 'c'])
})

test('an abort ends the stream, and its entries may be evicted again', async () => {
  const { know, give, x509, stop, cache } = setUp()
  const a = cachedEntry('a', { prefetch: false })
  know(a)
  const first = x509().next()
  await isPending(first)
  expect(cache.plan().missing).toEqual([a])
  stop.abort()
  expect(await first).toBeUndefined()
  expect(cache.plan().missing).toEqual([])
  give(a)
  expect(cache.plan().evicted).toEqual([])
})

test('who is served already wakes nobody, and who has to wait wakes those who fetch', async () => {
  const { know, give, x509, cache } = setUp()
  const a = cachedEntry('a')
  know(a)
  const [news, demand] = [cache.news.version(), cache.demand.version()]
  const waiting = x509().next()
  await isPending(waiting)
  expect([cache.news.version(), cache.demand.version()]).toEqual([news, demand + 1])
  give(a)
  expect(await waiting).toEqual(['a'])
  const after = cache.news.version()
  expect(await x509().next()).toEqual(['a'])
  expect([cache.news.version(), cache.demand.version()]).toEqual([after, demand + 1])
})

test('nothing is kept of an SVID whose entry has gone meanwhile', () => {
  const { know, give, cache } = setUp()
  const a = cachedEntry('a')
  know(a)
  know()
  give(a)
  expect(cache.svids().size).toBe(0)
})
