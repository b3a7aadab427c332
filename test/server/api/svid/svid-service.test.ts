import { X509Certificate } from 'node:crypto'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { BatchCreateEntryResponse } from '../../../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { BatchNewWITSVIDResponse } from '../../../../proto/gen/spire/api/server/svid/v1/BatchNewWITSVIDResponse.ts'
import type { BatchNewX509SVIDResponse } from '../../../../proto/gen/spire/api/server/svid/v1/BatchNewX509SVIDResponse.ts'
import type { MintJWTSVIDResponse } from '../../../../proto/gen/spire/api/server/svid/v1/MintJWTSVIDResponse.ts'
import type { MintX509SVIDResponse } from '../../../../proto/gen/spire/api/server/svid/v1/MintX509SVIDResponse.ts'
import type { NewJWTSVIDResponse } from '../../../../proto/gen/spire/api/server/svid/v1/NewJWTSVIDResponse.ts'
import type { Bundle } from '../../../../proto/gen/spire/api/types/Bundle.ts'
import type { EntryInput } from '../../../../proto/gen/spire/api/types/Entry.ts'
import { fromWireBundle } from '../../../../proto/wire.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { pathOf } from '../../../../spiffe/id.ts'
import { generateKey } from '../../../../spiffe/key.ts'
import { createCsr } from '../../../../spiffe/x509/csr.ts'
import { verifyX509Svid } from '../../../../spiffe/x509/verify.ts'
import { type Clients, call, startTestServer, type TestServer } from '../../running-server.ts'

let server: TestServer
let agent: Clients
beforeAll(async () => {
  server = await startTestServer()
  const attested = await server.attest()
  agent = await server.connect(attested.certificate)
  await createEntry({
    id: 'mine',
    spiffe_id: wireId('/mine'),
    parent_id: wireId(pathOf(attested.id)),
    dns_names: ['mine.example'],
    x509_svid_ttl: 120,
    jwt_svid_ttl: 30,
  })
  await createEntry({ id: 'foreign', spiffe_id: wireId('/foreign'), parent_id: wireId('/other') })
  await vi.waitFor(async () => {
    expect((await newSvids(['mine', await csr()]))[0]?.status?.code).toBe(0)
  })
})
afterAll(() => server[Symbol.asyncDispose]())

const wireId = (path: string, trust_domain = 'example.org') => ({ trust_domain, path })
const csr = async (options = {}) => createCsr({ key: await generateKey('ec-p256'), ...options })
const mintX509 = async (request: { csr?: Buffer; ttl?: number }) =>
  (await call<MintX509SVIDResponse>((done) => server.admin.svid.MintX509SVID(request, done))).svid

async function createEntry(entry: EntryInput) {
  const selectors = [{ type: 'unix', value: 'uid:1' }]
  const { results } = await call<BatchCreateEntryResponse>((done) =>
    server.admin.entry.BatchCreateEntry({ entries: [{ selectors, ...entry }] }, done),
  )
  expect(results[0]?.status?.code).toBe(0)
}

async function newSvids(...items: [entryId: string, csr: Buffer][]) {
  const params = items.map(([entry_id, csr]) => ({ entry_id, csr }))
  const reply = await call<BatchNewX509SVIDResponse>((done) =>
    agent.svid.BatchNewX509SVID({ params }, done),
  )
  return reply.results
}

const bundle = async () =>
  fromWireBundle(await call<Bundle>((done) => server.admin.bundle.GetBundle({}, done)))

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

test('an agent gets the SVID of its entry: ID, names and life are those of the entry, the key that of the CSR', async () => {
  const key = await generateKey('ec-p256')
  const asked = createCsr({ key, uriSans: ['spiffe://example.org/spire/server'] })
  const [result] = await newSvids(['mine', asked])
  expect(result?.status).toEqual({ code: 0, message: 'OK' })
  const chain = result?.svid?.cert_chain ?? []
  const verified = verifyX509Svid({ chain, bundle: await bundle(), now: systemClock.now() })
  expect(verified.id).toBe('spiffe://example.org/mine')
  const leaf = new X509Certificate(chain[0] ?? Buffer.alloc(0))
  expect(leaf.checkPrivateKey(key)).toBe(true)
  expect(leaf.subjectAltName).toContain('DNS:mine.example')
  const life = Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)
  expect(life).toBe(130_000)
  expect(result?.svid?.id).toEqual(wireId('/mine'))
  expect(result?.svid?.expires_at).toBe(Date.parse(leaf.validTo) / 1000)
})

test('each item of a batch is answered for itself, in order', async () => {
  const good = await csr()
  const forged = Buffer.from(good)
  forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1)
  const results = await newSvids(
    ['', good],
    ['mine', Buffer.alloc(0)],
    ['mine', Buffer.of(0)],
    ['mine', forged],
    ['foreign', good],
    ['nope', good],
    ['mine', good],
  )
  expect(results.map(({ status }) => [status?.code, status?.message])).toEqual([
    [3, 'missing entry ID'],
    [3, 'missing CSR'],
    [3, expect.stringMatching(/^malformed CSR: /)],
    [3, expect.stringMatching(/^invalid CSR signature/)],
    [5, 'entry not found or not authorized'],
    [5, 'entry not found or not authorized'],
    [0, 'OK'],
  ])
  expect(results.map(({ svid }) => svid !== null)).toEqual([...Array(6).fill(false), true])
})

test('what is refused in a batch longer than a turn leaves the others what they are, in order', async () => {
  const good = await csr()
  const forged = Buffer.from(good)
  forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1)
  const items = Array.from({ length: 80 }, (_, at): [string, Buffer] =>
    at % 7 === 3 ? ['mine', forged] : at % 11 === 5 ? ['foreign', good] : ['mine', good],
  )
  const results = await newSvids(...items)
  expect(results.map(({ status }) => status?.code)).toEqual(
    items.map(([id, one]) => (one === forged ? 3 : id === 'foreign' ? 5 : 0)),
  )
  expect(results.map(({ svid }) => svid !== null)).toEqual(
    items.map(([id, one]) => one !== forged && id === 'mine'),
  )
})

test('each SVID of a batch is for the key of its own request', async () => {
  const keys = await Promise.all(Array.from({ length: 60 }, () => generateKey('ec-p256')))
  const results = await newSvids(
    ...keys.map((key): [string, Buffer] => ['mine', createCsr({ key })]),
  )
  const leaves = results.map(
    ({ svid }) => new X509Certificate(svid?.cert_chain[0] ?? Buffer.alloc(0)),
  )
  expect(leaves.map((leaf, at) => leaf.checkPrivateKey(keys[at] ?? expect.unreachable()))).toEqual(
    keys.map(() => true),
  )
})

test('an empty batch is refused', async () => {
  await expect(newSvids()).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'missing parameters',
  })
})

test('a full batch of 500 is signed', async () => {
  const one = await csr()
  const results = await newSvids(
    ...Array.from({ length: 500 }, () => ['mine', one] as [string, Buffer]),
  )
  expect(results.filter(({ status }) => status?.code === 0)).toHaveLength(500)
})

test('an agent gets the JWT-SVID of its entry', async () => {
  const { svid } = await call<NewJWTSVIDResponse>((done) =>
    agent.svid.NewJWTSVID({ entry_id: 'mine', audience: ['a', '', 'b'] }, done),
  )
  expect(svid?.id).toEqual(wireId('/mine'))
  expect(claimsOf(svid?.token ?? '')).toEqual({
    sub: 'spiffe://example.org/mine',
    aud: ['a', 'b'],
    iat: svid?.issued_at,
    exp: svid?.expires_at,
  })
  expect((svid?.expires_at ?? 0) - (svid?.issued_at ?? 0)).toBe(30)
})

test.for([
  [
    'an entry of another agent',
    { entry_id: 'foreign', audience: ['a'] },
    5,
    'entry not found or not authorized',
  ],
  [
    'an entry that is not there',
    { entry_id: 'nope', audience: ['a'] },
    5,
    'entry not found or not authorized',
  ],
  ['no audience', { entry_id: 'mine', audience: [] }, 3, 'at least one audience is required'],
] as const)('NewJWTSVID refuses %s', async ([, request, code, details]) => {
  await expect(
    call((done) => agent.svid.NewJWTSVID({ ...request, audience: [...request.audience] }, done)),
  ).rejects.toMatchObject({ code, details })
})

test('an administrator mints an X509-SVID for any workload ID, with the names of the CSR', async () => {
  const asked = await csr({ uriSans: ['spiffe://example.org/minted'], dnsNames: ['m.example'] })
  const svid = await mintX509({ csr: asked, ttl: 60 })
  const chain = svid?.cert_chain ?? []
  const { id } = verifyX509Svid({ chain, bundle: await bundle(), now: systemClock.now() })
  expect(id).toBe('spiffe://example.org/minted')
  expect(new X509Certificate(chain[0] ?? Buffer.alloc(0)).subjectAltName).toContain('DNS:m.example')
  expect(svid?.id).toEqual(wireId('/minted'))
})

test.for([
  ['no URI SAN', {}, 'CSR URI SAN is required'],
  [
    'two URI SANs',
    { uriSans: ['spiffe://example.org/a', 'spiffe://example.org/b'] },
    'only one URI SAN is expected',
  ],
  [
    'a foreign ID',
    { uriSans: ['spiffe://other.org/a'] },
    'CSR URI SAN is invalid: "spiffe://other.org/a" is not a member of trust domain "example.org"',
  ],
  [
    'the ID of the server',
    { uriSans: ['spiffe://example.org/spire/server'] },
    'CSR URI SAN is invalid: "spiffe://example.org/spire/server" is not a workload in trust domain "example.org"; path is in the reserved namespace',
  ],
  [
    'the ID of the trust domain',
    { uriSans: ['spiffe://example.org'] },
    'CSR URI SAN is invalid: "spiffe://example.org" is not a workload in trust domain "example.org"; path is empty',
  ],
  [
    'another scheme',
    { uriSans: ['https://example.org/a'] },
    /^CSR URI SAN is invalid: .*scheme is missing or invalid/,
  ],
  [
    'a bad DNS name',
    { uriSans: ['spiffe://example.org/a'], dnsNames: ['-bad-'] },
    /^CSR DNS name is invalid: /,
  ],
  [
    'a name that a wildcard beside it covers',
    { uriSans: ['spiffe://example.org/a'], dnsNames: ['*.a.b', 'x.a.b'] },
    /^CSR DNS name contains a wildcard that covers another non-wildcard name: name "x.a.b"/,
  ],
] as const)('minting an X509-SVID refuses %s', async ([, options, details]) => {
  await expect(mintX509({ csr: await csr(options) })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: typeof details === 'string' ? details : expect.stringMatching(details),
  })
})

test('minting an X509-SVID refuses bytes that are no CSR, and a signature that does not fit', async () => {
  await expect(mintX509({})).rejects.toMatchObject({ details: 'missing CSR' })
  await expect(mintX509({ csr: Buffer.of(0, 0) })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.stringMatching(/^malformed CSR: /),
  })
  const forged = Buffer.from(await csr({ uriSans: ['spiffe://example.org/a'] }))
  forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1)
  await expect(mintX509({ csr: forged })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.stringMatching(/^failed to verify CSR signature/),
  })
})

test('an administrator mints a JWT-SVID; a negative life means the default', async () => {
  const { svid } = await call<MintJWTSVIDResponse>((done) =>
    server.admin.svid.MintJWTSVID({ id: wireId('/w'), audience: ['a'], ttl: -1 }, done),
  )
  expect(claimsOf(svid?.token ?? '')).toMatchObject({ sub: 'spiffe://example.org/w', aud: ['a'] })
  expect((svid?.expires_at ?? 0) - (svid?.issued_at ?? 0)).toBe(300)
})

test.for([
  [{}, 'invalid SPIFFE ID: request must specify SPIFFE ID'],
  [{ id: wireId('/w') }, 'at least one audience is required'],
  [
    { id: wireId('/w'), audience: [''] },
    'failed to sign JWT-SVID: invalid JWT-SVID audience: cannot be empty',
  ],
  [
    { id: wireId('/spire/w'), audience: ['a'] },
    'invalid SPIFFE ID: "spiffe://example.org/spire/w" is not a workload in trust domain "example.org"; path is in the reserved namespace',
  ],
])('minting a JWT-SVID refuses %j', async ([request, details]) => {
  // Cast: the two halves of a row are told apart by their place.
  const wanted = request as { id?: { trust_domain: string; path: string }; audience?: string[] }
  await expect(call((done) => server.admin.svid.MintJWTSVID(wanted, done))).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details,
  })
})

test('WIT-SVIDs are answered as SPIRE answers without its feature flag', async () => {
  await expect(call((done) => server.admin.svid.MintWITSVID({}, done))).rejects.toMatchObject({
    code: status.UNIMPLEMENTED,
    details: 'WIT functionality is disabled',
  })
  await expect(call((done) => agent.svid.BatchNewWITSVID({}, done))).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'missing parameters',
  })
  const params = [
    { entry_id: '' },
    { entry_id: 'mine' },
    { entry_id: 'foreign', public_key: Buffer.of(1) },
    { entry_id: 'mine', public_key: Buffer.of(1) },
  ]
  const { results } = await call<BatchNewWITSVIDResponse>((done) =>
    agent.svid.BatchNewWITSVID({ params }, done),
  )
  expect(results.map(({ status }) => [status?.code, status?.message])).toEqual([
    [3, 'missing entry ID'],
    [3, 'missing public key'],
    [5, 'entry not found or not authorized'],
    [13, 'failed to sign WIT-SVID: WIT key is not available for signing'],
  ])
})

test('a server without JWT-SVIDs says so, to agents and administrators', async () => {
  await using other = await startTestServer({ config: { disableJwtSvids: true } })
  const { certificate } = await other.attest()
  const refusal = { code: status.UNIMPLEMENTED, details: 'JWT functionality is disabled' }
  const clients = await other.connect(certificate)
  await expect(
    call((done) => clients.svid.NewJWTSVID({ entry_id: 'x', audience: ['a'] }, done)),
  ).rejects.toMatchObject(refusal)
  await expect(call((done) => other.admin.svid.MintJWTSVID({}, done))).rejects.toMatchObject(
    refusal,
  )
})
