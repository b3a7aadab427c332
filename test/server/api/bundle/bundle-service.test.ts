import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AppendBundleRequestInput } from '../../../../proto/gen/spire/api/server/bundle/v1/AppendBundleRequest.ts'
import type { CountBundlesResponse } from '../../../../proto/gen/spire/api/server/bundle/v1/CountBundlesResponse.ts'
import type { GetBundleRequestInput } from '../../../../proto/gen/spire/api/server/bundle/v1/GetBundleRequest.ts'
import type { PublishJWTAuthorityResponse } from '../../../../proto/gen/spire/api/server/bundle/v1/PublishJWTAuthorityResponse.ts'
import type { Bundle } from '../../../../proto/gen/spire/api/types/Bundle.ts'
import type { JWTKeyInput } from '../../../../proto/gen/spire/api/types/JWTKey.ts'
import { generateKey, spkiOf } from '../../../../spiffe/key.ts'
import {
  type Clients,
  call,
  connectAs,
  startTestServer,
  type TestServer,
} from '../../running-server.ts'

let server: TestServer
let admin: Clients['bundle']
beforeAll(async () => {
  server = await startTestServer()
  admin = server.admin.bundle
})
afterAll(() => server[Symbol.asyncDispose]())

const get = (client: Clients['bundle'], request: GetBundleRequestInput = {}) =>
  call<Bundle>((done) => client.GetBundle(request, done))
const append = (request: AppendBundleRequestInput) =>
  call<Bundle>((done) => admin.AppendBundle(request, done))

test('anybody may read the bundle, which has one authority of each kind at first', async () => {
  const { bundle } = await server.connect()
  const read = await get(bundle)
  expect(read.trust_domain).toBe('example.org')
  expect(read.x509_authorities).toHaveLength(1)
  expect(read.jwt_authorities).toHaveLength(1)
  expect(read.jwt_authorities[0]?.expires_at).toBeGreaterThan(0)
  expect(await get(admin)).toEqual(read)
  expect(await call<CountBundlesResponse>((done) => admin.CountBundles({}, done))).toEqual({
    count: 1,
  })
})

test('a mask leaves the trust domain and what it names', async () => {
  const masked = await get(admin, { output_mask: { x509_authorities: true } })
  expect(masked).toMatchObject({
    trust_domain: 'example.org',
    jwt_authorities: [],
    sequence_number: 0,
  })
  expect(masked.x509_authorities).toHaveLength(1)
  expect(await get(admin, { output_mask: {} })).toMatchObject({
    trust_domain: 'example.org',
    x509_authorities: [],
  })
})

test('an appended authority is in the bundle at once, and appending it again changes nothing', async () => {
  const before = await get(admin)
  const key = {
    public_key: spkiOf(await generateKey('ec-p256')),
    key_id: 'added',
    expires_at: 4_000_000_000,
  }
  const after = await append({ jwt_authorities: [key] })
  expect(after.jwt_authorities.map(({ key_id }) => key_id)).toContain('added')
  expect(after.sequence_number).toBe(before.sequence_number + 1)
  expect(await get(admin)).toEqual(after)
  expect(await append({ jwt_authorities: [key] })).toEqual(after)
})

test.for<readonly [AppendBundleRequestInput, number, string | RegExp]>([
  [{}, 3, 'no authorities to append'],
  [{ x509_authorities: [{ asn1: Buffer.of(0) }] }, 3, /^failed to convert X.509 authority: /],
  [{ x509_authorities: [{}] }, 3, /^failed to convert X.509 authority: /],
  [
    { jwt_authorities: [{ public_key: Buffer.of(0), key_id: 'a' }] },
    3,
    /^failed to convert JWT authority: /,
  ],
  [{ wit_authorities: [{}] }, 3, 'no authorities to append'],
  [
    { x509_authorities: [{ asn1: Buffer.of(0) }], wit_authorities: [{}] },
    12,
    'WIT functionality is disabled',
  ],
])('AppendBundle refuses %j and changes nothing', async ([request, code, details]) => {
  const before = await get(admin)
  await expect(append(request)).rejects.toMatchObject({
    code,
    details: typeof details === 'string' ? details : expect.stringMatching(details),
  })
  expect(await get(admin)).toEqual(before)
})

test('AppendBundle refuses a JWT authority without key ID', async () => {
  const public_key = spkiOf(await generateKey('ec-p256'))
  await expect(append({ jwt_authorities: [{ public_key }] })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'failed to convert JWT authority: missing key ID',
  })
})

test.for([
  ['other.org', status.NOT_FOUND, 'bundle not found'],
  ['', status.INVALID_ARGUMENT, 'trust domain argument is not valid: trust domain is missing'],
  [
    'Bad!',
    status.INVALID_ARGUMENT,
    'trust domain argument is not valid: trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores',
  ],
  [
    'example.org',
    status.INVALID_ARGUMENT,
    "getting a federated bundle for the server's own trust domain is not allowed",
  ],
] as const)(
  'the federated bundle of %j is answered as SPIRE answers',
  async ([trust_domain, code, details]) => {
    await expect(
      call((done) => admin.GetFederatedBundle({ trust_domain }, done)),
    ).rejects.toMatchObject({ code, details })
  },
)

/** Clients of a caller whose entry says that it is a downstream server. */
async function downstream(): Promise<Clients> {
  const entry = {
    id: 'downstream',
    spiffe_id: { trust_domain: 'example.org', path: '/nested' },
    parent_id: { trust_domain: 'example.org', path: '/n' },
    selectors: [{ type: 'unix', value: 'uid:1' }],
    downstream: true,
  }
  await call((done) => server.admin.entry.BatchCreateEntry({ entries: [entry] }, done))
  return await connectAs(server, 'spiffe://example.org/nested')
}

const publish = ({ bundle }: Clients, jwt_authority: JWTKeyInput | undefined) =>
  call<PublishJWTAuthorityResponse>((done) =>
    bundle.PublishJWTAuthority(jwt_authority === undefined ? {} : { jwt_authority }, done),
  )

test('a downstream server publishes its JWT key, nobody else does, and nothing that is no key', async () => {
  const nested = await downstream()
  const public_key = spkiOf(await generateKey('ec-p256'))
  const key = { public_key, key_id: 'nested', expires_at: 4_000_000_000 }
  await expect
    .poll(() => publish(nested, key).catch(({ code }) => code))
    .toMatchObject({ jwt_authorities: expect.arrayContaining([expect.objectContaining(key)]) })
  expect((await get(admin)).jwt_authorities).toContainEqual(expect.objectContaining(key))
  const invalid = (details: string | RegExp) => ({
    code: status.INVALID_ARGUMENT,
    details: typeof details === 'string' ? details : expect.stringMatching(details),
  })
  await expect(publish(nested, undefined)).rejects.toMatchObject(invalid('missing JWT authority'))
  await expect(publish(nested, {})).rejects.toMatchObject(invalid(/^invalid JWT authority: /))
  await expect(publish(nested, { public_key })).rejects.toMatchObject(
    invalid('invalid JWT authority: missing key ID'),
  )
  const other = { ...key, public_key: spkiOf(await generateKey('ec-p256')) }
  await expect(publish(nested, other)).rejects.toMatchObject(
    invalid('failed to publish JWT key: key ID "nested" already belongs to another JWT key'),
  )
  await expect(call((done) => nested.bundle.PublishWITAuthority({}, done))).rejects.toMatchObject({
    code: status.UNIMPLEMENTED,
    details: 'WIT-SVID functionality is not yet implemented',
  })
  for (const refused of [server.admin, await server.connect()]) {
    await expect(publish(refused, { ...key, key_id: 'refused' })).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    })
  }
})
