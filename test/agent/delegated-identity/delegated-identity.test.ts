/** The Delegated Identity API over a real socket: who may ask, what is given, and when a stream ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import type { CachedEntry } from '../../../agent/cache/entry.ts'
import type { FetchJWTSVIDsRequestInput } from '../../../proto/gen/spire/api/agent/delegatedidentity/v1/FetchJWTSVIDsRequest.ts'
import type { FetchJWTSVIDsResponse } from '../../../proto/gen/spire/api/agent/delegatedidentity/v1/FetchJWTSVIDsResponse.ts'
import type { SubscribeToX509SVIDsRequestInput } from '../../../proto/gen/spire/api/agent/delegatedidentity/v1/SubscribeToX509SVIDsRequest.ts'
import type { SubscribeToX509SVIDsResponse } from '../../../proto/gen/spire/api/agent/delegatedidentity/v1/SubscribeToX509SVIDsResponse.ts'
import { delegatedIdentityApi } from '../../../proto/load.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../spiffe/id.ts'
import { signJwtSvid } from '../../../spiffe/jwt/sign.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { DELEGATE, noMetadata, OWN_UID, openAdminEndpoint } from '../../fakes/admin-endpoint.ts'
import { TEST_NOW } from '../../fakes/ca.ts'
import { cachedEntry, cachedSvid } from '../../fakes/cached-entry.ts'
import { messages, next, unary } from '../../fakes/workload-endpoint.ts'

const wire = (text: string) => {
  const colon = text.indexOf(':')
  return { type: text.slice(0, colon), value: text.slice(colon + 1) }
}
const MUTUAL = { selectors: [wire('cilium:mutual-auth')] }
const of = (entryId: string, change: Partial<CachedEntry> = {}) =>
  cachedEntry(entryId, { selectors: [parseSelector('cilium:mutual-auth')], ...change })

async function open() {
  const admin = await openAdminEndpoint()
  const api = admin.client(delegatedIdentityApi())
  return {
    ...admin,
    ...{ api, [Symbol.asyncDispose]: () => admin[Symbol.asyncDispose]() },
    svids: (request: SubscribeToX509SVIDsRequestInput) =>
      messages(api.SubscribeToX509SVIDs(request)),
    jwt: (request: FetchJWTSVIDsRequestInput) =>
      unary<FetchJWTSVIDsResponse>(
        (by, done) => api.FetchJWTSVIDs(request, by, done),
        noMetadata(),
      ),
  }
}

const idsOf = ({ x509_svids }: SubscribeToX509SVIDsResponse) =>
  x509_svids.map(({ x509_svid }) => x509_svid?.id?.path)

test('a delegate gets the SVIDs of whoever has the selectors, each whole', async () => {
  await using admin = await open()
  admin.put([DELEGATE, of('a', { hint: 'x' })])
  expect(await next(admin.svids(MUTUAL))).toEqual({
    x509_svids: [
      {
        x509_svid: {
          cert_chain: [Buffer.from('leaf of a')],
          id: { trust_domain: 'example.org', path: '/a' },
          expires_at: Math.floor(TEST_NOW.getTime() / 1_000) + 3_600,
          hint: 'x',
        },
        x509_svid_key: Buffer.from('key of a'),
      },
    ],
    federates_with: [],
  })
})

test('identities of administrators and downstream servers are given to nobody', async () => {
  await using admin = await open()
  const secret = of('secret', { privileged: true })
  admin.put([DELEGATE, of('a'), secret])
  expect(idsOf(await next(admin.svids(MUTUAL)))).toEqual(['/a'])
  admin.put([secret], ['a'])
  await expect(admin.jwt({ ...MUTUAL, audience: ['x'] })).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    details:
      'no identity issued: entry secret (spiffe://example.org/secret) matches, but it is an admin or downstream entry, which is given to no delegate',
  })
})

test('a caller that has no entry is told which comes closest; the log shows no selector', async () => {
  await using admin = await open()
  admin.sync.succeeded()
  admin.put([cachedEntry('near', { selectors: [OWN_UID, 'unix:path:/x'].map(parseSelector) })])
  await expect(next(admin.svids(MUTUAL))).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    details: expect.stringMatching(
      /^no identity issued: no entry matches process \d+; entry near \(spiffe:\/\/example\.org\/near\) comes closest, but the process lacks unix:path:\/x/,
    ),
  })
  await expect.poll(() => JSON.stringify(admin.lines)).toContain('A delegate asked')
  expect(JSON.stringify(admin.lines)).not.toContain('unix:path')
})

test('a caller with an identity that is on no list is told what it is and who may', async () => {
  await using admin = await open()
  admin.put([{ ...DELEGATE, id: parseSpiffeId('spiffe://example.org/other') }])
  for (const subscribe of [
    () => messages(admin.api.SubscribeToX509Bundles({})),
    () => messages(admin.api.SubscribeToJWTBundles({})),
    () => admin.svids(MUTUAL),
  ]) {
    await expect(subscribe().next()).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      details:
        'caller not configured as an authorized delegate: it is spiffe://example.org/other, and authorized_delegates of the agent has spiffe://example.org/delegate',
    })
  }
  await expect(admin.jwt({ ...MUTUAL, audience: ['x'] })).rejects.toMatchObject({ code: 7 })
})

test.for(['svids', 'x509 bundles', 'jwt bundles'])(
  'a delegate that is none any more loses its stream of %s at once',
  async (which) => {
    await using admin = await open()
    admin.put([DELEGATE])
    const stream: AsyncIterator<unknown> = {
      svids: () => admin.svids(MUTUAL),
      'x509 bundles': () => messages(admin.api.SubscribeToX509Bundles({})),
      'jwt bundles': () => messages(admin.api.SubscribeToJWTBundles({})),
    }[which as 'svids']()
    await next(stream)
    admin.put([], ['delegate'])
    await expect(stream.next()).rejects.toMatchObject({ code: status.PERMISSION_DENIED })
  },
)

test.for([
  [
    'neither selectors nor a process',
    {},
    'must provide either selectors or non-zero PID, but not both',
  ],
  ['both', { ...MUTUAL, pid: 1 }, 'must provide either selectors or non-zero PID, but not both'],
  [
    'a selector without a type',
    { selectors: [{ value: 'a' }] },
    'could not parse provided selectors',
  ],
  [
    'a type with a colon',
    { selectors: [{ type: 'a:b', value: 'a' }] },
    'could not parse provided selectors',
  ],
  [
    'a selector without a value',
    { selectors: [{ type: 'a' }] },
    'could not parse provided selectors',
  ],
] as const)('refuses a request for %s', async ([, request, details]) => {
  await using admin = await open()
  admin.put([DELEGATE])
  const refused = { code: status.INVALID_ARGUMENT, details }
  await expect(next(admin.svids(request as object))).rejects.toMatchObject(refused)
  await expect(admin.jwt({ ...(request as object), audience: ['a'] })).rejects.toMatchObject(
    refused,
  )
})

test.for([
  [[], 'audience must be specified'],
  [Array.from({ length: 65 }, String), 'at most 64 are allowed'],
  [['a'.repeat(2_049)], 'longer than 2048 bytes'],
] as const)('refuses an audience before it asks who calls: %#', async ([audience, details]) => {
  await using admin = await open()
  await expect(admin.jwt({ ...MUTUAL, audience: [...audience] })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.stringContaining(details),
  })
})

test.for([2 ** 22 + 1, -1])('refuses to attest process %d, which is not there', async (pid) => {
  await using admin = await open()
  admin.put([DELEGATE])
  await expect(next(admin.svids({ pid }))).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: `workload attestation failed: there is no process ${pid} where the agent runs`,
  })
})

test('a process is attested by its number, and its stream does not outlive it', async () => {
  await using admin = await open()
  const child = spawn('sleep', ['100'])
  await once(child, 'spawn')
  admin.put([DELEGATE])
  const stream = admin.svids({ pid: child.pid ?? 0 })
  expect(idsOf(await next(stream))).toEqual(['/delegate']) // it runs as the same user
  child.kill()
  await once(child, 'exit')
  admin.put([of('news')])
  await expect(stream.next()).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: `workload attestation failed: process ${child.pid} has ended`,
  })
})

test('what nobody has gets an empty answer, and SVIDs as soon as there is an entry', async () => {
  await using admin = await open()
  admin.put([DELEGATE])
  const stream = admin.svids(MUTUAL)
  expect(await next(stream)).toEqual({ x509_svids: [], federates_with: [] })
  admin.put([of('a')])
  expect(idsOf(await next(stream))).toEqual(['/a'])
})

test('of several with the same hint all are given, for they are of several workloads', async () => {
  await using admin = await open()
  admin.put([DELEGATE, of('a', { hint: 'x' }), of('b', { hint: 'x' })])
  expect(idsOf(await next(admin.svids(MUTUAL)))).toEqual(['/a', '/b'])
})

test('one stream carries five thousand identities, and gathers changes for half a second', async () => {
  await using admin = await open()
  const entries = Array.from({ length: 5_000 }, (_, at) => of(`w${at}`))
  admin.put([DELEGATE, ...entries])
  const stream = admin.svids(MUTUAL)
  const wait = async (ms: number) => {
    await admin.clock.sleepers(1)
    admin.clock.advance(ms)
  }
  expect((await next(stream)).x509_svids).toHaveLength(5_000)
  const [first = DELEGATE] = entries
  const chain = [Buffer.from('a newer leaf')]
  await wait(499)
  admin.cache.store([cachedSvid(first, TEST_NOW, { chain })])
  admin.put([], ['w1'])
  admin.clock.advance(1)
  const { x509_svids } = await next(stream)
  expect(x509_svids).toHaveLength(4_999)
  expect(x509_svids[0]?.x509_svid?.cert_chain).toEqual(chain)
  await wait(500)
  admin.put([], ['w0'])
  expect((await next(stream)).x509_svids).toHaveLength(4_998)
}, 20_000)

test('an entry that is new comes with its SVID and holds up no other change; the first message has all', async () => {
  await using admin = await open()
  const news = (entries: readonly CachedEntry[], removedEntryIds: readonly string[] = []) =>
    admin.cache.apply({
      ...{ kind: 'changes', entries, removedEntryIds, bundle: undefined, federated: undefined },
    })
  admin.put([DELEGATE, of('a')])
  const late = of('late')
  news([late])
  const stream = admin.svids(MUTUAL)
  const first = next(stream)
  admin.cache.store([cachedSvid(late, TEST_NOW)])
  expect(idsOf(await first)).toEqual(['/a', '/late'])
  const unsigned = of('unsigned')
  news([unsigned], ['late'])
  expect(idsOf(await next(stream))).toEqual(['/a'])
  admin.cache.store([cachedSvid(unsigned, TEST_NOW)])
  expect(idsOf(await next(stream))).toEqual(['/a', '/unsigned'])
  // What was given already is waited for: its connections would be cut for nothing.
  news([{ ...unsigned, revision: 1 }, of('b')])
  admin.cache.store([cachedSvid(of('b'), TEST_NOW)])
  admin.cache.store([cachedSvid({ ...unsigned, revision: 1 }, TEST_NOW)])
  expect(idsOf(await next(stream))).toEqual(['/a', '/b', '/unsigned'])
})

test('bundles are all that the agent holds; federation is told with the SVIDs that have it', async () => {
  await using admin = await open()
  const partner = parseTrustDomain('partner.org')
  const bundle = {
    ...emptyBundle(partner),
    x509Authorities: [{ der: Buffer.from('partner root;'), tainted: false }],
  }
  admin.put([DELEGATE, of('a', { federatesWith: [partner, parseTrustDomain('unknown.org')] })])
  const stream = messages(admin.api.SubscribeToX509Bundles({}))
  expect(Object.keys((await next(stream)).ca_certificates)).toEqual(['spiffe://example.org'])
  admin.cache.apply({ kind: 'bundles', bundle: undefined, federated: new Map([[partner, bundle]]) })
  const { ca_certificates } = await next(stream)
  expect(ca_certificates['spiffe://partner.org']).toEqual(Buffer.from('partner root;'))
  const { federates_with } = await next(admin.svids(MUTUAL))
  expect(federates_with).toEqual(['spiffe://partner.org'])
  admin.cache.apply({ kind: 'bundles', bundle: undefined, federated: new Map() })
  expect(Object.keys((await next(stream)).ca_certificates)).toEqual(['spiffe://example.org'])
  const jwt = await next(messages(admin.api.SubscribeToJWTBundles({})))
  expect(String(jwt.bundles['spiffe://example.org'])).toContain('"keys"')
})

test('a token is given for each entry, with its times', async () => {
  await using admin = await open()
  const key = await generateKey('ec-p256')
  admin.put([DELEGATE, of('a', { hint: 'h' })])
  const expiresAt = new Date(TEST_NOW.getTime() + 300_000)
  admin.mintWith(async ({ id, hint }, audience) => {
    const token = await signJwtSvid({
      ...{ key, keyId: 'k', id, audience, expiresAt, issuedAt: TEST_NOW },
    })
    return { token, id, hint, expiresAt }
  })
  const { svids } = await admin.jwt({ ...MUTUAL, audience: ['x'] })
  const at = Math.floor(TEST_NOW.getTime() / 1_000)
  expect(svids).toMatchObject([{ hint: 'h', issued_at: at, expires_at: at + 300 }])
  expect(svids[0]?.id).toEqual({ trust_domain: 'example.org', path: '/a' })
})

test('a server that is away makes a token unavailable, which is no refusal', async () => {
  await using admin = await open()
  admin.put([DELEGATE, of('a')])
  await expect(admin.jwt({ ...MUTUAL, audience: ['x'] })).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: 'could not fetch JWT-SVID: no server is there',
  })
})

test('a token that nobody has is refused with the entry that comes closest', async () => {
  await using admin = await open()
  admin.put([DELEGATE])
  await expect(admin.jwt({ ...MUTUAL, audience: ['x'] })).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    details: `no identity issued: no entry has only selectors that were asked for; entry delegate (spiffe://example.org/delegate) comes closest and wants ${OWN_UID} as well; create an entry of what was asked for, with parent spiffe://example.org/spire/agent/x509pop/1`,
  })
})
