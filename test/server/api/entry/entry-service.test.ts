import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { BatchCreateEntryResponse } from '../../../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { BatchDeleteEntryResponse } from '../../../../proto/gen/spire/api/server/entry/v1/BatchDeleteEntryResponse.ts'
import type { BatchUpdateEntryResponse } from '../../../../proto/gen/spire/api/server/entry/v1/BatchUpdateEntryResponse.ts'
import type { CountEntriesResponse } from '../../../../proto/gen/spire/api/server/entry/v1/CountEntriesResponse.ts'
import type {
  _spire_api_server_entry_v1_ListEntriesRequest_FilterInput as FilterInput,
  ListEntriesRequestInput,
} from '../../../../proto/gen/spire/api/server/entry/v1/ListEntriesRequest.ts'
import type { ListEntriesResponse } from '../../../../proto/gen/spire/api/server/entry/v1/ListEntriesResponse.ts'
import type { Entry, EntryInput } from '../../../../proto/gen/spire/api/types/Entry.ts'
import type { EntryMaskInput } from '../../../../proto/gen/spire/api/types/EntryMask.ts'
import { type Clients, call, startTestServer, type TestServer } from '../../running-server.ts'

let server: TestServer
let entry: Clients['entry']
beforeAll(async () => {
  server = await startTestServer()
  entry = server.admin.entry
})
afterAll(() => server[Symbol.asyncDispose]())

beforeEach(async () => {
  const { entries } = await list({})
  await remove(entries.map(({ id }) => id))
})

const wireId = (path: string, trust_domain = 'example.org') => ({ trust_domain, path })
const good = {
  spiffe_id: wireId('/w'),
  parent_id: wireId('/n'),
  selectors: [{ type: 'unix', value: 'uid:1' }],
}

const create = async (...entries: EntryInput[]) =>
  (await call<BatchCreateEntryResponse>((done) => entry.BatchCreateEntry({ entries }, done)))
    .results
const update = async (one: EntryInput, input_mask?: EntryMaskInput) => {
  const request = input_mask === undefined ? { entries: [one] } : { entries: [one], input_mask }
  const { results } = await call<BatchUpdateEntryResponse>((done) =>
    entry.BatchUpdateEntry(request, done),
  )
  return results[0]
}
const remove = async (ids: string[]) =>
  (await call<BatchDeleteEntryResponse>((done) => entry.BatchDeleteEntry({ ids }, done))).results
const list = (request: ListEntriesRequestInput) =>
  call<ListEntriesResponse>((done) => entry.ListEntries(request, done))
const get = (id: string, output_mask: EntryMaskInput | null = null) =>
  call<Entry>((done) => entry.GetEntry({ id, output_mask }, done))
const count = (filter: FilterInput | null = null) =>
  call<CountEntriesResponse>((done) => entry.CountEntries({ filter }, done))

test('an entry comes back with every field that was given, the first revision and the time of its creation', async () => {
  const fields = {
    ...good,
    id: 'e1',
    x509_svid_ttl: 10,
    jwt_svid_ttl: 20,
    admin: true,
    downstream: true,
    expires_at: 4_000_000_000,
    dns_names: ['a.example', 'b'],
    hint: 'internal',
    additional_attributes: { disable_x509_svid_prefetch: true, jwt_svid_include_jti: true },
  }
  const [result] = await create({ ...fields, revision_number: 7, created_at: 99 })
  expect(result?.status).toEqual({ code: status.OK, message: 'OK' })
  expect(result?.entry).toMatchObject({ ...fields, revision_number: 0 })
  expect(result?.entry?.created_at).toBeGreaterThan(1_700_000_000)
  expect(await get('e1')).toEqual(result?.entry)
})

test('lists come back sorted from the write, and in the order in which they were given ever after', async () => {
  const selectors = [
    { type: 'unix', value: 'uid:2' },
    { type: 'docker', value: 'label:x' },
    { type: 'unix', value: 'gid:1' },
  ]
  const dns_names = ['b.example', 'a.example']
  const sorted = {
    selectors: [selectors[1], selectors[2], selectors[0]],
    dns_names: ['a.example', 'b.example'],
  }
  const [created] = await create({ ...good, id: 'e1', selectors, dns_names })
  expect(created?.entry).toMatchObject(sorted)
  expect(await get('e1')).toMatchObject({ selectors, dns_names })
  const [similar] = await create({ ...good, selectors })
  expect(similar?.entry).toMatchObject({ selectors, dns_names })
  const updated = await update({ id: 'e1', hint: 'new' }, { hint: true })
  expect(updated?.entry).toMatchObject(sorted)
})

test('an entry without an ID gets one, and defaults come back as zeros, without attributes', async () => {
  const [result] = await create(good)
  expect(result?.entry?.id).toMatch(/^[0-9a-f-]{36}$/)
  expect(result?.entry).toMatchObject({ x509_svid_ttl: 0, expires_at: 0, hint: '', dns_names: [] })
  expect(result?.entry?.additional_attributes).toBeUndefined()
})

test('a similar entry is answered ALREADY_EXISTS together with the entry that is there', async () => {
  await create({ ...good, id: 'first' })
  const [result] = await create({ ...good, id: 'second', hint: 'other' })
  expect(result?.status).toEqual({
    code: status.ALREADY_EXISTS,
    message: 'similar entry already exists',
  })
  expect(result?.entry?.id).toBe('first')
})

test.for<readonly [string, EntryInput, number, string | RegExp]>([
  [
    'an empty entry',
    {},
    3,
    'failed to convert entry: invalid parent ID: request must specify SPIFFE ID',
  ],
  [
    'no SPIFFE ID',
    { parent_id: wireId('/n') },
    3,
    'failed to convert entry: invalid spiffe ID: request must specify SPIFFE ID',
  ],
  [
    'no selectors',
    { ...good, selectors: [] },
    3,
    'failed to convert entry: selector list is empty',
  ],
  [
    'the trust domain as parent',
    { ...good, parent_id: wireId('') },
    3,
    'failed to convert entry: invalid parent ID: "spiffe://example.org" is not a member of trust domain "example.org"; path is empty',
  ],
  [
    'a foreign parent',
    { ...good, parent_id: wireId('/n', 'other.org') },
    3,
    'failed to convert entry: invalid parent ID: "spiffe://other.org/n" is not a member of trust domain "example.org"',
  ],
  [
    'a reserved SPIFFE ID',
    { ...good, spiffe_id: wireId('/spire/server') },
    3,
    'failed to convert entry: invalid spiffe ID: "spiffe://example.org/spire/server" is not a workload in trust domain "example.org"; path is in the reserved namespace',
  ],
  [
    'a selector without type',
    { ...good, selectors: [{ type: '', value: 'x' }] },
    3,
    'failed to convert entry: missing selector type',
  ],
  [
    'a selector without value',
    { ...good, selectors: [{ type: 'a', value: '' }] },
    3,
    'failed to convert entry: missing selector value',
  ],
  [
    'a bad trust domain to federate with',
    { ...good, federates_with: ['Bad!'] },
    3,
    'failed to convert entry: invalid federated trust domain: trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores',
  ],
  [
    'a bad DNS name',
    { ...good, dns_names: ['-bad-'] },
    3,
    /^failed to convert entry: invalid DNS name: /,
  ],
  ['a hint that is too long', { ...good, hint: 'x'.repeat(1025) }, 3, /hint is too long/],
  [
    'a bad entry ID',
    { ...good, id: 'bad id!' },
    3,
    /^failed to create entry: .*invalid characters$/,
  ],
  [
    'a negative TTL',
    { ...good, x509_svid_ttl: -1 },
    3,
    /^failed to create entry: .*X509SvidTtl is not set/,
  ],
  [
    'mixed selector types to be stored',
    { ...good, store_svid: true, selectors: [...good.selectors, { type: 'k8s', value: 'ns:a' }] },
    3,
    /selector types must be the same when store SVID is enabled$/,
  ],
  [
    'a federated bundle that is missing',
    { ...good, federates_with: ['other.org'] },
    13,
    'failed to create entry: unable to find federated bundle "spiffe://other.org"',
  ],
])('BatchCreateEntry refuses %s and writes nothing', async ([, one, code, message]) => {
  const [result] = await create(one)
  expect(result?.status).toEqual({
    code,
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  })
  expect(result?.entry).toBeNull()
  expect((await count()).count).toBe(0)
})

test('an entry ID that is taken is answered ALREADY_EXISTS without an entry', async () => {
  await create({ ...good, id: 'e1' })
  const [result] = await create({ ...good, id: 'e1', spiffe_id: wireId('/other') })
  expect(result?.status?.code).toBe(status.ALREADY_EXISTS)
  expect(result?.status?.message).toMatch(/^failed to create entry: /)
  expect(result?.entry).toBeNull()
})

test('one bad item leaves the others of its batch alone, and results keep the order of the request', async () => {
  const results = await create(
    { ...good, id: 'a' },
    {},
    { ...good, id: 'b', spiffe_id: wireId('/b') },
  )
  expect(results.map(({ status }) => status?.code)).toEqual([0, 3, 0])
  expect(results.map(({ entry }) => entry?.id)).toEqual(['a', undefined, 'b'])
})

test('an update with a mask writes those fields alone and counts the revision, even when nothing changes', async () => {
  await create({ ...good, id: 'e1', hint: 'kept', x509_svid_ttl: 5 })
  const updated = await update({ id: 'e1', x509_svid_ttl: 60 }, { x509_svid_ttl: true })
  expect(updated?.entry).toMatchObject({ hint: 'kept', x509_svid_ttl: 60, revision_number: 1 })
  const again = await update({ id: 'e1', revision_number: 55 }, { revision_number: true })
  expect(again?.entry).toMatchObject({ hint: 'kept', x509_svid_ttl: 60, revision_number: 2 })
})

test('an update without a mask replaces every field', async () => {
  await create({ ...good, id: 'e1', hint: 'gone', admin: true })
  const updated = await update({ ...good, id: 'e1' })
  expect(updated?.entry).toMatchObject({ hint: '', admin: false, revision_number: 1 })
})

test.for<readonly [string, EntryInput, EntryMaskInput | undefined, number, string | RegExp]>([
  ['an entry that is not there', { ...good, id: 'nope' }, undefined, 5, 'failed to update entry'],
  ['an entry without ID', { hint: 'x' }, { hint: true }, 5, 'failed to update entry'],
  [
    'no SPIFFE ID where the mask wants one',
    { id: 'e1' },
    { spiffe_id: true },
    3,
    'failed to convert entry: invalid spiffe ID: request must specify SPIFFE ID',
  ],
  [
    'no selectors where the mask wants them',
    { id: 'e1' },
    { selectors: true },
    3,
    'failed to convert entry: selector list is empty',
  ],
  [
    'a negative TTL',
    { id: 'e1', x509_svid_ttl: -1 },
    { x509_svid_ttl: true },
    3,
    /^failed to update entry: .*X509SvidTtl is not set/,
  ],
  [
    'a federated bundle that is missing',
    { id: 'e1', federates_with: ['other.org'] },
    { federates_with: true },
    13,
    'failed to update entry: unable to find federated bundle "spiffe://other.org"',
  ],
])('BatchUpdateEntry refuses %s', async ([, one, mask, code, message]) => {
  await create({ ...good, id: 'e1' })
  expect(await update(one, mask)).toEqual({
    status: {
      code,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    },
    entry: null,
  })
  expect((await get('e1')).revision_number).toBe(0)
})

test('a delete answers for each ID, in order', async () => {
  await create({ ...good, id: 'e1' })
  expect(await remove(['', 'nope', 'e1'])).toEqual([
    { id: '', status: { code: 3, message: 'missing entry ID' } },
    { id: 'nope', status: { code: 5, message: 'entry not found' } },
    { id: 'e1', status: { code: 0, message: 'OK' } },
  ])
  await expect(get('e1')).rejects.toMatchObject({
    code: status.NOT_FOUND,
    details: 'entry not found',
  })
})

test('a request beyond 4 MiB is refused', async () => {
  await expect(remove(['x'.repeat(5 * 1024 * 1024)])).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
  })
})

test('GetEntry refuses an empty ID', async () => {
  await expect(get('')).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'missing ID',
  })
})

test('an output mask leaves the ID and the masked fields alone', async () => {
  await create({ ...good, id: 'e1', hint: 'x' })
  expect(await get('e1', { spiffe_id: true })).toMatchObject({
    id: 'e1',
    spiffe_id: wireId('/w'),
    parent_id: null,
    selectors: [],
    hint: '',
  })
})

test('pages are read until the token is empty, and a list without a page size has everything', async () => {
  await create(...['a', 'b', 'c'].map((id) => ({ ...good, id, spiffe_id: wireId(`/${id}`) })))
  const first = await list({ page_size: 2 })
  expect(first.entries.map(({ id }) => id)).toEqual(['a', 'b'])
  const second = await list({ page_size: 2, page_token: first.next_page_token })
  expect(second.entries.map(({ id }) => id)).toEqual(['c'])
  expect(second.next_page_token).toBe('')
  expect((await list({ page_size: -1, page_token: 'ignored' })).entries).toHaveLength(3)
})

test('a page token that is none is refused', async () => {
  await expect(list({ page_size: 1, page_token: 'garbage' })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.stringMatching(/^failed to list entries: /),
  })
})

test('filters narrow lists and counts alike', async () => {
  await create(
    { ...good, id: 'a', hint: 'h' },
    { ...good, id: 'b', spiffe_id: wireId('/b'), downstream: true },
    { ...good, id: 'c', spiffe_id: wireId('/c'), parent_id: wireId('/other') },
  )
  const cases: [FilterInput, string[]][] = [
    [{ by_hint: { value: 'h' } }, ['a']],
    [{ by_hint: { value: '' } }, ['a', 'b', 'c']],
    [{ by_downstream: { value: true } }, ['b']],
    [{ by_downstream: { value: false } }, ['a', 'b', 'c']],
    [{ by_spiffe_id: wireId('/w') }, ['a']],
    [{ by_parent_id: wireId('/other') }, ['c']],
    [{ by_selectors: { match: 'MATCH_ANY', selectors: [{ type: 'unix', value: 'uid:2' }] } }, []],
    [{ by_selectors: { match: 'MATCH_EXACT', selectors: good.selectors } }, ['a', 'b', 'c']],
  ]
  for (const [filter, ids] of cases) {
    expect((await list({ filter })).entries.map(({ id }) => id)).toEqual(ids)
    expect((await count(filter)).count).toBe(ids.length)
  }
})

/** Cast: a number that the protocol has no name for, as a newer client may send. */
const UNKNOWN = 9 as unknown as 'MATCH_ANY'

test.for<readonly [FilterInput, string]>([
  [{ by_selectors: { selectors: [] } }, 'malformed selectors filter: empty selector set'],
  [
    { by_selectors: { selectors: [{ type: 'unix', value: '' }] } },
    'malformed selectors filter: missing selector value',
  ],
  [
    { by_federates_with: { trust_domains: [] } },
    'malformed federates with filter: empty trust domain set',
  ],
  // What is compared is looked at before how.
  [{ by_selectors: { match: UNKNOWN } }, 'malformed selectors filter: empty selector set'],
  [
    { by_selectors: { match: UNKNOWN, selectors: good.selectors } },
    'malformed selectors filter: unhandled match behavior 9',
  ],
  [
    { by_federates_with: { match: UNKNOWN, trust_domains: [''] } },
    'malformed federates with filter: trust domain is missing',
  ],
  [
    { by_spiffe_id: wireId('/spire/x') },
    'malformed SPIFFE ID filter: "spiffe://example.org/spire/x" is not a workload in trust domain "example.org"; path is in the reserved namespace',
  ],
  [
    { by_parent_id: wireId('/w', 'o.org') },
    'malformed parent ID filter: "spiffe://o.org/w" is not a member of trust domain "example.org"',
  ],
])('refuses a filter: %j', async ([filter, details]) => {
  const refusal = { code: status.INVALID_ARGUMENT, details }
  await expect(count(filter)).rejects.toMatchObject(refusal)
  await expect(list({ filter })).rejects.toMatchObject(refusal)
})
