import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { BatchCreateFederationRelationshipResponse } from '../../../../proto/gen/spire/api/server/trustdomain/v1/BatchCreateFederationRelationshipResponse.ts'
import type { BatchDeleteFederationRelationshipResponse } from '../../../../proto/gen/spire/api/server/trustdomain/v1/BatchDeleteFederationRelationshipResponse.ts'
import type { ListFederationRelationshipsRequestInput } from '../../../../proto/gen/spire/api/server/trustdomain/v1/ListFederationRelationshipsRequest.ts'
import type { ListFederationRelationshipsResponse } from '../../../../proto/gen/spire/api/server/trustdomain/v1/ListFederationRelationshipsResponse.ts'
import type { Bundle } from '../../../../proto/gen/spire/api/types/Bundle.ts'
import type {
  FederationRelationship,
  FederationRelationshipInput,
} from '../../../../proto/gen/spire/api/types/FederationRelationship.ts'
import type { FederationRelationshipMaskInput } from '../../../../proto/gen/spire/api/types/FederationRelationshipMask.ts'
import { type Clients, call, startTestServer, type TestServer } from '../../running-server.ts'

let server: TestServer
let admin: Clients['trustDomain']
let certificate: Buffer
beforeEach(async () => {
  server = await startTestServer()
  admin = server.admin.trustDomain
  const own = await call<Bundle>((done) => server.admin.bundle.GetBundle({}, done))
  certificate = own.x509_authorities[0]?.asn1 ?? expect.unreachable()
})
afterEach(() => server[Symbol.asyncDispose]())

const web = (trust_domain: string, bundle_endpoint_url = 'https://other.invalid/bundle') => ({
  trust_domain,
  bundle_endpoint_url,
  https_web: {},
})
const spiffe = (trust_domain: string, endpoint_spiffe_id = 'spiffe://other.org/endpoint') => ({
  trust_domain,
  bundle_endpoint_url: 'https://other.invalid:8443',
  https_spiffe: { endpoint_spiffe_id },
})

type Changed = BatchCreateFederationRelationshipResponse
const create = (...federation_relationships: FederationRelationshipInput[]) =>
  call<Changed>((done) =>
    admin.BatchCreateFederationRelationship({ federation_relationships }, done),
  )
const update = (
  input_mask: FederationRelationshipMaskInput | null,
  ...federation_relationships: FederationRelationshipInput[]
) =>
  call<Changed>((done) =>
    admin.BatchUpdateFederationRelationship({ federation_relationships, input_mask }, done),
  )
const remove = (...trust_domains: string[]) =>
  call<BatchDeleteFederationRelationshipResponse>((done) =>
    admin.BatchDeleteFederationRelationship({ trust_domains }, done),
  )
const list = (request: ListFederationRelationshipsRequestInput = {}) =>
  call<ListFederationRelationshipsResponse>((done) =>
    admin.ListFederationRelationships(request, done),
  )
const get = (trust_domain: string, output_mask: FederationRelationshipMaskInput | null = null) =>
  call<FederationRelationship>((done) =>
    admin.GetFederationRelationship({ trust_domain, output_mask }, done),
  )
const bundleOf = (trust_domain: string) =>
  call<Bundle>((done) => server.admin.bundle.GetFederatedBundle({ trust_domain }, done))

const outcomes = ({ results }: { results: Changed['results'] }) =>
  results.map((result) => [result.status?.code, result.status?.message])
const OK = [0, 'OK']

test('relationships of both profiles are read back as they were created', async () => {
  const { results } = await create(web('a.org'), spiffe('spiffe://b.org'))
  expect(outcomes({ results })).toEqual([OK, OK])
  expect(await get('a.org')).toMatchObject({ ...web('a.org'), trust_domain_bundle: null })
  expect(await get('spiffe://b.org')).toMatchObject(spiffe('b.org'))
  expect((await list()).federation_relationships).toEqual(
    results.map((result) => result.federation_relationship),
  )
})

test('a bundle given with a relationship is the bundle of that trust domain, and outlives it', async () => {
  const trust_domain_bundle = {
    trust_domain: 'a.org',
    x509_authorities: [{ asn1: certificate }],
    refresh_hint: 7,
  }
  await create({ ...web('a.org'), trust_domain_bundle })
  expect(await bundleOf('a.org')).toMatchObject(trust_domain_bundle)
  expect(await get('a.org')).toMatchObject({ trust_domain_bundle })
  const newer = { ...trust_domain_bundle, refresh_hint: 8 }
  await update({ bundle_endpoint_url: true }, { ...web('a.org'), trust_domain_bundle: newer })
  expect(await bundleOf('a.org')).toMatchObject(trust_domain_bundle)
  await update({ trust_domain_bundle: true }, { ...web('a.org'), trust_domain_bundle: newer })
  expect(await bundleOf('a.org')).toMatchObject(newer)
  await remove('a.org')
  expect(await bundleOf('a.org')).toMatchObject(newer)
})

test('masks say what is read, and what is written', async () => {
  await create(spiffe('a.org'))
  const bare = { bundle_endpoint_url: '', trust_domain_bundle: null }
  expect(await get('a.org', {})).toEqual({ trust_domain: 'a.org', ...bare })
  expect(await get('a.org', { bundle_endpoint_url: true })).toEqual({
    trust_domain: 'a.org',
    ...bare,
    bundle_endpoint_url: 'https://other.invalid:8443',
  })
  expect(await get('a.org', { bundle_endpoint_profile: true })).toMatchObject({
    bundle_endpoint_url: '',
    https_spiffe: { endpoint_spiffe_id: 'spiffe://other.org/endpoint' },
  })
  const next = web('a.org', 'https://new.invalid')
  await update({}, next)
  expect(await get('a.org')).toMatchObject(spiffe('a.org'))
  await update({ bundle_endpoint_url: true }, next)
  expect(await get('a.org')).toMatchObject({
    ...spiffe('a.org'),
    bundle_endpoint_url: 'https://new.invalid',
  })
  expect(outcomes(await update(null, next))).toEqual([OK])
  expect(await get('a.org')).toMatchObject(next)
})

test('what is there already, and what is not there, fails with the words of SPIRE', async () => {
  expect(outcomes(await create(web('a.org'), spiffe('a.org'), web('b.org')))).toEqual([
    OK,
    [
      status.INTERNAL,
      'failed to create federation relationship: datastore-sql: UNIQUE constraint failed: federated_trust_domains.trust_domain',
    ],
    OK,
  ])
  expect(await get('a.org')).toMatchObject(web('a.org'))
  const missing = [
    status.INTERNAL,
    'failed to update federation relationship: unable to fetch federation relationship: record not found',
  ]
  const own = { trust_domain: 'example.org', refresh_hint: 1 }
  expect(
    outcomes(
      await update(null, web('none.org'), { ...web('example.org'), trust_domain_bundle: own }),
    ),
  ).toEqual([missing, missing])
  await expect(get('none.org')).rejects.toMatchObject({
    code: status.NOT_FOUND,
    details: 'federation relationship does not exist',
  })
  const { results } = await remove(
    'none.org',
    'a.org',
    '',
    'Bad!',
    'spiffe://b.org',
    'spiffe://b.org/path',
  )
  expect(results).toMatchObject([
    { status: { code: 5, message: 'federation relationship not found' }, trust_domain: 'none.org' },
    { status: { code: 0, message: 'OK' }, trust_domain: 'a.org' },
    { status: { code: 3, message: 'missing trust domain' }, trust_domain: '' },
    {
      status: { code: 3, message: expect.stringMatching(/^failed to parse trust domain: /) },
      trust_domain: 'Bad!',
    },
    { status: { code: 0, message: 'OK' }, trust_domain: 'b.org' },
    // Told by its bare name, though it is gone.
    { status: { code: 5, message: 'federation relationship not found' }, trust_domain: 'b.org' },
  ])
  expect((await list()).federation_relationships).toEqual([])
})

const CONTEXT = 'failed to convert federation relationship: '
const REFUSED: readonly (readonly [FederationRelationshipInput, string | RegExp])[] = [
  [web(''), `${CONTEXT}failed to parse trust domain: trust domain is missing`],
  [
    web('Bad!'),
    `${CONTEXT}failed to parse trust domain: trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores`,
  ],
  [web('a.org', ''), `${CONTEXT}bundle endpoint URL must use the https scheme`],
  [web('a.org', 'http://x'), `${CONTEXT}bundle endpoint URL must use the https scheme`],
  [web('a.org', 'https://'), `${CONTEXT}bundle endpoint URL must specify the host`],
  [web('a.org', 'https://u:p@x'), `${CONTEXT}bundle endpoint URL must not contain user info`],
  [web('a.org', 'https://x:port'), /failed to parse bundle endpoint URL: /],
  [
    { trust_domain: 'a.org', bundle_endpoint_url: 'https://x' },
    `${CONTEXT}unsupported bundle endpoint profile type: <nil>`,
  ],
  [spiffe('a.org', ''), `${CONTEXT}failed to parse endpoint SPIFFE ID: cannot be empty`],
  [spiffe('a.org', 'nope'), /failed to parse endpoint SPIFFE ID: .*scheme is missing or invalid/],
  [
    { ...web('a.org'), trust_domain_bundle: { trust_domain: 'zz.org' } },
    `${CONTEXT}trust domain bundle ("zz.org") must match the trust domain of the federation relationship ("a.org")`,
  ],
  [
    { ...web('a.org'), trust_domain_bundle: { trust_domain: 'Bad!' } },
    /failed to parse bundle: invalid trust domain: trust domain characters are limited/,
  ],
  [
    {
      ...web('a.org'),
      trust_domain_bundle: { trust_domain: 'a.org', x509_authorities: [{ asn1: Buffer.of(0) }] },
    },
    /failed to parse bundle: unable to parse X.509 authority: /,
  ],
]

test.for(REFUSED)('%j is refused, created or updated', async ([wire, message]) => {
  const expected = [[3, typeof message === 'string' ? message : expect.stringMatching(message)]]
  expect(outcomes(await create(wire))).toEqual(expected)
  expect(outcomes(await update({}, wire))).toEqual(expected)
  expect((await list()).federation_relationships).toEqual([])
  expect(await call((done) => server.admin.bundle.CountBundles({}, done))).toEqual({ count: 1 })
})

test('no relationship with the own trust domain is created', async () => {
  const trust_domain_bundle = { trust_domain: 'example.org', refresh_hint: 1 }
  expect(outcomes(await create({ ...web('example.org'), trust_domain_bundle }))).toEqual([
    [3, 'unable to create federation relationship for server trust domain'],
  ])
  const own = await call<Bundle>((done) => server.admin.bundle.GetBundle({}, done))
  expect(own.x509_authorities).toHaveLength(1)
})

test('the list comes in pages', async () => {
  const names = ['a.org', 'b.org', 'c.org']
  await create(...names.map((name) => web(name)))
  const first = await list({ page_size: 2, output_mask: {} })
  expect(first.federation_relationships.map(({ trust_domain }) => trust_domain)).toEqual([
    'a.org',
    'b.org',
  ])
  const page_token = first.next_page_token
  const second = await list({ page_size: 2, page_token })
  expect(second.federation_relationships).toMatchObject([web('c.org')])
  expect(second.next_page_token).toBe('')
  await expect(list({ page_size: 2, page_token: 'zz' })).rejects.toMatchObject({
    details: expect.stringMatching(/^failed to list federation relationships: could not parse/),
  })
})

test.for([
  ['', status.INVALID_ARGUMENT, /^failed to parse trust domain: trust domain is missing$/],
  ['Bad!', status.INVALID_ARGUMENT, /^failed to parse trust domain: /],
  ['none.org', status.NOT_FOUND, /^no relationship with trust domain "none.org"$/],
  ['example.org', status.NOT_FOUND, /^no relationship with trust domain "example.org"$/],
  ['a.org', status.UNAVAILABLE, /^failed to refresh bundle: getaddrinfo .* other\.invalid$/],
] as const)('refreshing the bundle of %j is refused', async ([trust_domain, code, details]) => {
  await create(web('a.org'))
  await expect(call((done) => admin.RefreshBundle({ trust_domain }, done))).rejects.toMatchObject({
    code,
    details: expect.stringMatching(details),
  })
})

test('relationships outlive the server, and only administrators see them', async () => {
  await create(web('a.org'))
  const { certificate: svid } = await server.attest()
  for (const clients of [await server.connect(), await server.connect(svid)]) {
    await expect(
      call((done) => clients.trustDomain.ListFederationRelationships({}, done)),
    ).rejects.toMatchObject({ code: status.PERMISSION_DENIED })
  }
  await server.stop()
  await using again = await startTestServer({ dir: server.dir })
  const { federation_relationships } = await call<ListFederationRelationshipsResponse>((done) =>
    again.admin.trustDomain.ListFederationRelationships({}, done),
  )
  expect(federation_relationships).toMatchObject([web('a.org')])
})
