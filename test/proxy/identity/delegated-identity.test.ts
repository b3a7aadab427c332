/** The proxy as a delegate of an agent, over a real admin socket: whose identity it has, which bundles, and when it has none. */
import { expect, test } from 'vitest'
import type { CachedEntry } from '../../../agent/cache/entry.ts'
import { parseEndpointAddress } from '../../../proto/endpoint-address.ts'
import {
  openDelegatedBundles,
  openDelegatedIdentity,
  readBundles,
  readContext,
} from '../../../proxy/identity/delegated-identity.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { DELEGATE, openAdminEndpoint } from '../../fakes/admin-endpoint.ts'
import { TEST_NOW } from '../../fakes/ca.ts'
import { cachedEntry, cachedSvid } from '../../fakes/cached-entry.ts'
import { contextOf, currentCa, identityOf } from '../../fakes/svids.ts'

const ca = await currentCa('example.org')
const partner = await currentCa('partner.org')
const stranger = await currentCa('stranger.org')
const WEB = [parseSelector('k8s:sa:web')]

async function open() {
  const admin = await openAdminEndpoint()
  const failures: string[] = []
  const giveUp = new AbortController()
  const options = {
    address: parseEndpointAddress(`unix://${admin.path}`, 'test'),
    clock: systemClock,
    random: () => 0,
    onFailure: ({ message }: { message: string }) => void failures.push(message),
  }
  const told = (bundle: Bundle, federated: readonly Bundle[]) =>
    admin.cache.apply({
      ...{ kind: 'bundles', bundle },
      federated: new Map(federated.map((one) => [one.trustDomain, one])),
    })
  const bundles = () => openDelegatedBundles(options, giveUp.signal)
  return {
    ...{ admin, failures, giveUp, bundles },
    identity: (of: Awaited<ReturnType<typeof bundles>>) =>
      openDelegatedIdentity(options, WEB, of, giveUp.signal),
    /** An entry with an SVID that is a real one. */
    async put(path: string, change: Partial<CachedEntry> = {}) {
      const { id, chain, key } = await identityOf(ca, path)
      const entry = cachedEntry(path.slice(1), { id, selectors: WEB, ...change })
      admin.put([entry])
      admin.cache.store([cachedSvid(entry, TEST_NOW, { chain, key })])
    },
    told,
    [Symbol.asyncDispose]: () => admin[Symbol.asyncDispose](),
  }
}

test('the workload’s SVID comes with its own bundle and those that its entries federate with', async () => {
  await using node = await open()
  node.admin.put([
    DELEGATE,
    cachedEntry('other', {
      federatesWith: [stranger.bundle.trustDomain],
      selectors: DELEGATE.selectors,
    }),
  ])
  await node.put('/web', { federatesWith: [partner.bundle.trustDomain] })
  node.told(ca.bundle, [partner.bundle, stranger.bundle])
  await using bundles = await node.bundles()
  expect([...bundles.current().keys()]).toEqual(['example.org', 'partner.org', 'stranger.org'])
  await using identity = await node.identity(bundles)
  const { defaultSvid, bundles: own } = identity.current()
  expect(defaultSvid.id).toBe('spiffe://example.org/web')
  expect([...own.keys()]).toEqual(['example.org', 'partner.org'])
})

test('new SVIDs and bundles are there as soon as the agent has them', async () => {
  await using node = await open()
  node.admin.put([DELEGATE])
  await node.put('/web')
  node.told(ca.bundle, [])
  await using bundles = await node.bundles()
  await using identity = await node.identity(bundles)
  const before = identity.current()
  await node.put('/web')
  await expect.poll(() => identity.current().defaultSvid).not.toEqual(before.defaultSvid)
  node.told({ ...ca.bundle, x509Authorities: partner.bundle.x509Authorities }, [])
  const authority = partner.bundle.x509Authorities[0]?.der
  await expect
    .poll(() => identity.current().bundles.get(ca.bundle.trustDomain)?.x509Authorities[0]?.der)
    .toEqual(Buffer.from(authority ?? ''))
})

test('when the workload’s entry is gone there is no identity, and there is one again with the entry', async () => {
  await using node = await open()
  node.admin.put([DELEGATE])
  await node.put('/web')
  node.told(ca.bundle, [])
  await using bundles = await node.bundles()
  await using identity = await node.identity(bundles)
  let changes = 0
  using _changes = identity.onChange(() => {
    changes += 1
  })
  node.admin.put([], ['web'])
  await expect.poll(() => changes).toBe(1)
  expect(() => identity.current()).toThrow(
    'no identity for the selectors k8s:sa:web; create an entry',
  )
  await node.put('/web')
  await expect.poll(() => changes).toBe(2)
  expect(identity.current().defaultSvid.id).toBe('spiffe://example.org/web')
})

test('a proxy that is a delegate no longer has nobody’s identity', async () => {
  await using node = await open()
  node.admin.put([DELEGATE])
  await node.put('/web')
  node.told(ca.bundle, [])
  await using bundles = await node.bundles()
  await using identity = await node.identity(bundles)
  node.admin.put([], ['delegate'])
  await expect
    .poll(() => {
      try {
        return identity.current().defaultSvid.id
      } catch (error) {
        return String(error)
      }
    })
    .toContain('no identity issued')
})

test('who is no delegate waits, is told why, and gives up when told to', async () => {
  await using node = await open()
  const opening = node.bundles()
  await expect.poll(() => node.failures[0]).toMatch(/^no identity issued: /)
  node.giveUp.abort()
  await expect(opening).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('an answer whose certificate is somebody else’s is refused whole', async () => {
  const { chain, key } = await identityOf(ca, '/web')
  const svid = (path: string) => ({
    x509_svid: {
      ...{ cert_chain: chain.map((der) => Buffer.from(der)), hint: '', expires_at: 0 },
      id: { trust_domain: 'example.org', path },
    },
    x509_svid_key: Buffer.from(key),
  })
  const all = contextOf(await identityOf(ca, '/x'), [ca.bundle]).bundles
  const of = (path: string) => readContext({ x509_svids: [svid(path)], federates_with: [] }, all)
  expect(of('/web').defaultSvid.id).toBe('spiffe://example.org/web')
  expect(() => of('/db')).toThrow('its certificate says spiffe://example.org/web')
  expect(() => readContext({ x509_svids: [], federates_with: [] }, all)).toThrow('without any')
  expect(() => readContext({ x509_svids: [svid('/web')], federates_with: ['A B'] }, all)).toThrow()
})

test.for([
  ['a trust domain that is none', { 'spiffe://A B': Buffer.of() }],
  ['what is no certificate', { 'spiffe://a.org': Buffer.from('x') }],
] as const)('bundles with %s are refused whole', ([, ca_certificates]) => {
  expect(() => readBundles({ ca_certificates: { ...ca_certificates } })).toThrow()
})
