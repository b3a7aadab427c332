import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { BatchCreateFederatedBundleResponse } from '../../../../proto/gen/spire/api/server/bundle/v1/BatchCreateFederatedBundleResponse.ts'
import type {
  BatchDeleteFederatedBundleRequestInput,
  _spire_api_server_bundle_v1_BatchDeleteFederatedBundleRequest_ModeInput as ModeInput,
} from '../../../../proto/gen/spire/api/server/bundle/v1/BatchDeleteFederatedBundleRequest.ts'
import type { BatchDeleteFederatedBundleResponse } from '../../../../proto/gen/spire/api/server/bundle/v1/BatchDeleteFederatedBundleResponse.ts'
import type { BatchUpdateFederatedBundleRequestInput } from '../../../../proto/gen/spire/api/server/bundle/v1/BatchUpdateFederatedBundleRequest.ts'
import type { CountBundlesResponse } from '../../../../proto/gen/spire/api/server/bundle/v1/CountBundlesResponse.ts'
import type { ListFederatedBundlesRequestInput } from '../../../../proto/gen/spire/api/server/bundle/v1/ListFederatedBundlesRequest.ts'
import type { ListFederatedBundlesResponse } from '../../../../proto/gen/spire/api/server/bundle/v1/ListFederatedBundlesResponse.ts'
import type { BatchCreateEntryResponse } from '../../../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { ListEntriesResponse } from '../../../../proto/gen/spire/api/server/entry/v1/ListEntriesResponse.ts'
import type { Bundle, BundleInput } from '../../../../proto/gen/spire/api/types/Bundle.ts'
import { generateKey, spkiOf } from '../../../../spiffe/key.ts'
import { type Clients, call, startTestServer, type TestServer } from '../../running-server.ts'

let server: TestServer
let admin: Clients['bundle']
let certificate: Buffer
beforeEach(async () => {
  server = await startTestServer()
  admin = server.admin.bundle
  const own = await call<Bundle>((done) => admin.GetBundle({}, done))
  certificate = own.x509_authorities[0]?.asn1 ?? expect.unreachable()
})
afterEach(() => server[Symbol.asyncDispose]())

const public_key = spkiOf(await generateKey('ec-p256'))

/** A bundle with something in every field; that its certificate is of another trust domain is no matter here. */
const bundleOf = (trust_domain: string): BundleInput => ({
  trust_domain,
  x509_authorities: [{ asn1: certificate }],
  jwt_authorities: [{ public_key, key_id: 'k1', expires_at: 4_000_000_000 }],
  refresh_hint: 77,
  sequence_number: 9,
})

type Changed = BatchCreateFederatedBundleResponse
const WRITES = {
  creating: (...bundle: BundleInput[]) =>
    call<Changed>((done) => admin.BatchCreateFederatedBundle({ bundle }, done)),
  updating: (...bundle: BundleInput[]) =>
    call<Changed>((done) => admin.BatchUpdateFederatedBundle({ bundle }, done)),
  setting: (...bundle: BundleInput[]) =>
    call<Changed>((done) => admin.BatchSetFederatedBundle({ bundle }, done)),
}
const remove = (trust_domains: string[], mode: ModeInput = 'RESTRICT') =>
  call<BatchDeleteFederatedBundleResponse>((done) =>
    admin.BatchDeleteFederatedBundle({ trust_domains, mode }, done),
  )
const list = (request: ListFederatedBundlesRequestInput = {}) =>
  call<ListFederatedBundlesResponse>((done) => admin.ListFederatedBundles(request, done))
const count = async () =>
  (await call<CountBundlesResponse>((done) => admin.CountBundles({}, done))).count
const get = (trust_domain: string) =>
  call<Bundle>((done) => admin.GetFederatedBundle({ trust_domain }, done))

const outcomes = ({ results }: { results: Changed['results'] }) =>
  results.map((result) => [result.status?.code, result.status?.message])
const OK = [0, 'OK']

test('a created bundle is read back as it was given, by any name of its trust domain', async () => {
  const { results } = await WRITES.creating(bundleOf('spiffe://other.org'), bundleOf('third.org'))
  expect(outcomes({ results })).toEqual([OK, OK])
  const read = await get('other.org')
  expect(read).toMatchObject(bundleOf('other.org'))
  expect(results[0]?.bundle).toEqual(read)
  expect(await get('spiffe://other.org')).toEqual(read)
  expect(await count()).toBe(3)
})

test('agents may read federated bundles, strangers may not', async () => {
  await WRITES.creating(bundleOf('other.org'))
  const { certificate: svid } = await server.attest()
  const read = async (clients: Clients) =>
    call<Bundle>((done) => clients.bundle.GetFederatedBundle({ trust_domain: 'other.org' }, done))
  expect(await read(await server.connect(svid))).toEqual(await get('other.org'))
  const refused = { code: status.PERMISSION_DENIED }
  await expect(read(await server.connect())).rejects.toMatchObject(refused)
})

test('creating again refuses that item alone', async () => {
  const first = await WRITES.creating(bundleOf('a.org'), bundleOf('a.org'), bundleOf('b.org'))
  expect(outcomes(first)).toEqual([OK, [status.ALREADY_EXISTS, 'bundle already exists'], OK])
  expect(first.results[1]?.bundle).toBeNull()
})

test('updating takes over the fields of the mask, and all of them without a mask', async () => {
  await WRITES.creating(bundleOf('a.org'))
  const change = (input_mask?: BatchUpdateFederatedBundleRequestInput['input_mask']) => {
    const bundle = [{ trust_domain: 'a.org', refresh_hint: 5, sequence_number: 3 }]
    return call<Changed>((done) =>
      admin.BatchUpdateFederatedBundle(input_mask ? { bundle, input_mask } : { bundle }, done),
    )
  }
  await change({})
  expect(await get('a.org')).toMatchObject(bundleOf('a.org'))
  await change({ refresh_hint: true })
  expect(await get('a.org')).toMatchObject({ ...bundleOf('a.org'), refresh_hint: 5 })
  await change()
  expect(await get('a.org')).toEqual({
    trust_domain: 'a.org',
    x509_authorities: [],
    jwt_authorities: [],
    wit_authorities: [],
    refresh_hint: 5,
    sequence_number: 3,
  })
})

test('setting creates what is missing and replaces what is there', async () => {
  await WRITES.setting(bundleOf('a.org'))
  expect(await get('a.org')).toMatchObject(bundleOf('a.org'))
  await WRITES.setting({ trust_domain: 'a.org', sequence_number: 1 }, bundleOf('b.org'))
  expect(await get('a.org')).toMatchObject({ x509_authorities: [], sequence_number: 1 })
  expect(await count()).toBe(3)
})

test('updating and deleting what is not there is not found', async () => {
  const missing = [status.NOT_FOUND, 'bundle not found']
  expect(outcomes(await WRITES.updating(bundleOf('none.org')))).toEqual([missing])
  expect(await remove(['none.org'])).toMatchObject({
    results: [{ status: { code: 5, message: 'bundle not found' }, trust_domain: 'none.org' }],
  })
  expect(await count()).toBe(1)
})

const REFUSED_NAMES = [
  ['', 'trust domain argument is not valid: trust domain is missing'],
  [
    'Bad!',
    'trust domain argument is not valid: trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores',
  ],
] as const

test.for(['creating', 'updating', 'setting'] as const)(
  '%s refuses names that are none, the own trust domain, and authorities that are none',
  async (verb) => {
    await WRITES.setting(bundleOf('a.org'))
    const refusals = async (...wires: BundleInput[]) => outcomes(await WRITES[verb](...wires))
    for (const [name, message] of REFUSED_NAMES) {
      expect(await refusals(bundleOf(name))).toEqual([[status.INVALID_ARGUMENT, message]])
    }
    expect(await refusals(bundleOf('example.org'))).toEqual([
      [
        status.INVALID_ARGUMENT,
        `${verb} a federated bundle for the server's own trust domain is not allowed`,
      ],
    ])
    const trust_domain = 'a.org'
    expect(
      await refusals(
        { trust_domain, x509_authorities: [{ asn1: Buffer.of(0, 0, 0) }] },
        { trust_domain, x509_authorities: [{}] },
        { trust_domain, jwt_authorities: [{ public_key: Buffer.of(0, 0, 0), key_id: 'a' }] },
        { trust_domain, jwt_authorities: [{ public_key }] },
      ),
    ).toEqual([
      [3, expect.stringMatching(/^failed to convert bundle: unable to parse X.509 authority: ./)],
      [3, 'failed to convert bundle: unable to parse X.509 authority: no certificate given'],
      [3, expect.stringMatching(/^failed to convert bundle: unable to parse JWT authority: ./)],
      [3, 'failed to convert bundle: unable to parse JWT authority: missing key ID'],
    ])
    expect(await get('a.org')).toMatchObject(bundleOf('a.org'))
    expect(await count()).toBe(2)
  },
)

test('deleting refuses names that are none, the own trust domain, and modes that are none', async () => {
  for (const [name, message] of REFUSED_NAMES) {
    expect(await remove([name])).toMatchObject({
      results: [{ status: { code: 3, message }, trust_domain: name }],
    })
  }
  const message = 'removing the bundle for the server trust domain is not allowed'
  for (const mode of ['RESTRICT', 'DELETE', 'DISSOCIATE'] as const) {
    expect(await remove(['example.org'], mode)).toMatchObject({
      results: [{ status: { code: 3, message } }],
    })
  }
  // Cast: a number that is no mode can be sent all the same.
  const unknown = {
    trust_domains: [],
    mode: 7,
  } as unknown as BatchDeleteFederatedBundleRequestInput
  await expect(
    call((done) => admin.BatchDeleteFederatedBundle(unknown, done)),
  ).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'failed to parse deletion mode: unhandled delete mode "7"',
  })
})

async function federate(...domains: string[]): Promise<BatchCreateEntryResponse> {
  const wireId = (path: string) => ({ trust_domain: 'example.org', path })
  const entries = domains.map((domain, at) => ({
    id: `e${at}`,
    spiffe_id: wireId(`/w${at}`),
    parent_id: wireId('/p'),
    selectors: [{ type: 'unix', value: 'uid:1' }],
    federates_with: [domain],
  }))
  return await call((done) => server.admin.entry.BatchCreateEntry({ entries }, done))
}

const federations = async () =>
  (await call<ListEntriesResponse>((done) => server.admin.entry.ListEntries({}, done))).entries.map(
    ({ id, federates_with }) => [id, federates_with],
  )

test('what entries federate with is only deleted when it is said what becomes of them', async () => {
  await WRITES.creating(bundleOf('a.org'), bundleOf('b.org'))
  const { results } = await federate('a.org', 'a.org', 'b.org', 'nope.org')
  expect(results.map((result) => result.status?.message)).toEqual([
    'OK',
    'OK',
    'OK',
    'failed to create entry: unable to find federated bundle "spiffe://nope.org"',
  ])
  expect(await remove(['a.org'])).toMatchObject({
    results: [
      {
        status: {
          code: status.FAILED_PRECONDITION,
          message:
            'failed to delete federated bundle: datastore-sql: cannot delete bundle; federated with 2 registration entries',
        },
      },
    ],
  })
  expect(await remove(['a.org'], 'DISSOCIATE')).toMatchObject({
    results: [{ status: { code: 0 } }],
  })
  expect(await federations()).toEqual([
    ['e0', []],
    ['e1', []],
    ['e2', ['b.org']],
  ])
  const spiffeName = 'spiffe://b.org'
  expect(await remove([spiffeName], 'DELETE')).toMatchObject({
    results: [{ status: { code: 0 }, trust_domain: spiffeName }],
  })
  expect((await federations()).map(([id]) => id)).toEqual(['e0', 'e1'])
  expect(await count()).toBe(1)
})

test('the list leaves the own bundle out, heeds masks, and comes in pages', async () => {
  const names = ['a.org', 'b.org', 'f.org', 'g.org']
  await WRITES.creating(...names.map(bundleOf))
  const all = await list()
  expect(all.bundles.map(({ trust_domain }) => trust_domain)).toEqual(names)
  expect(all.next_page_token).toBe('')
  expect(await list({ page_size: -1 })).toEqual(all)
  const masked = await list({ output_mask: { refresh_hint: true } })
  expect(masked.bundles[0]).toMatchObject({
    trust_domain: 'a.org',
    refresh_hint: 77,
    sequence_number: 0,
    x509_authorities: [],
    jwt_authorities: [],
  })
  const seen: string[] = []
  let page_token = ''
  do {
    const page = await list({ page_size: 2, page_token })
    expect(page.bundles.length).toBeLessThanOrEqual(2)
    seen.push(...page.bundles.map(({ trust_domain }) => trust_domain))
    page_token = page.next_page_token
  } while (page_token !== '')
  expect(seen).toEqual(names)
  await expect(list({ page_size: 2, page_token: 'zz' })).rejects.toMatchObject({
    details: expect.stringMatching(/^failed to list bundles: could not parse token "zz"/),
  })
})
