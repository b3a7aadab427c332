/** Entries read and counted, by every filter, mask and page. */
import { lastPage, noFailure } from './accepted.ts'
import { id, selectors, WRONG_IDS } from './entry-requests.ts'
import type { Message } from './methods.ts'
import type { Step } from './story.ts'

const list = (filter: Message | undefined, more: Message = {}): Step => ({
  call: 'Entry/ListEntries',
  with: { ...(filter === undefined ? {} : { filter }), ...more },
})
const count = (filter: Message): Step => ({ call: 'Entry/CountEntries', with: { filter } })
const badToken = (page_token: string): Step =>
  noFailure(list(undefined, { page_token, page_size: 2 }))

export const FIND_ENTRIES: readonly Step[] = [
  { call: 'Entry/GetEntry' },
  { call: 'Entry/GetEntry', with: { id: 'nobody' } },
  { call: 'Entry/GetEntry', with: { id: 'bad/id' } },
  { call: 'Entry/GetEntry', with: { id: 'one' } },
  { call: 'Entry/GetEntry', with: { id: 'full' } },
  { call: 'Entry/GetEntry', with: { id: 'full', output_mask: {} } },
  ...[
    'spiffe_id',
    'parent_id',
    'selectors',
    'x509_svid_ttl',
    'federates_with',
    'admin',
    'downstream',
    'expires_at',
    'dns_names',
    'revision_number',
    'store_svid',
    'jwt_svid_ttl',
    'hint',
    'created_at',
    'additional_attributes',
  ].map(
    (field): Step => ({
      call: 'Entry/GetEntry',
      with: { id: 'full', output_mask: { [field]: true } },
    }),
  ),
  list(undefined),
  list({}),
  list(undefined, { output_mask: {} }),
  list(undefined, { page_size: -1 }),
  list(undefined, { page_size: 1, output_mask: { spiffe_id: true } }),
  list(undefined, { page_size: 3, output_mask: {} }),
  lastPage(list(undefined, { page_size: 100000, output_mask: {} })),
  list(undefined, { page_token: 'nonsense', output_mask: {} }),
  badToken('nonsense'),
  badToken('-1'),
  ...WRONG_IDS.slice(1).flatMap((wrong) => [
    list({ by_spiffe_id: wrong }),
    list({ by_parent_id: wrong }),
  ]),
  ...WRONG_IDS.slice(1, 8).flatMap((wrong) => [
    count({ by_spiffe_id: wrong }),
    count({ by_parent_id: wrong }),
  ]),
  list({ by_spiffe_id: id('/one') }),
  list({ by_spiffe_id: id('one') }),
  list({ by_parent_id: id('/spire/server') }),
  list({ by_parent_id: id('/parent') }, { output_mask: {} }),
  list({ by_hint: { value: 'full' } }),
  list({ by_hint: { value: '' } }, { output_mask: {} }),
  list({ by_hint: {} }, { output_mask: {} }),
  list({ by_downstream: { value: true } }, { output_mask: {} }),
  list({ by_downstream: { value: false } }, { output_mask: {} }),
  list({ by_hint: { value: 'full' }, by_downstream: { value: true }, by_spiffe_id: id('/full') }),
  list({ by_hint: { value: 'full' }, by_spiffe_id: id('/one') }),
  ...['MATCH_EXACT', 'MATCH_SUBSET', 'MATCH_SUPERSET', 'MATCH_ANY'].flatMap((match) => [
    ...[
      [],
      selectors('unix:uid:1'),
      selectors('unix:uid:2'),
      selectors('unix:uid:1', 'x:y'),
      selectors('unix:gid:2', 'unix:uid:2', 'docker:label:x:y'),
      selectors('unix:gid:2', 'unix:uid:2', 'docker:label:x:y', 'more:and more'),
      selectors('b:2', 'a:1', 'a:0', 'b:2'),
      [{ type: '', value: '' }],
    ].flatMap((some) => [
      list({ by_selectors: { match, selectors: some } }, { output_mask: {} }),
      count({ by_selectors: { match, selectors: some } }),
    ]),
    ...[
      [],
      ['example.org'],
      ['spiffe://example.org'],
      ['unknown.org'],
      ['unknown.org', 'example.org'],
      ['not a domain'],
      [''],
    ].flatMap((trust_domains) => [
      list({ by_federates_with: { match, trust_domains } }, { output_mask: {} }),
      count({ by_federates_with: { match, trust_domains } }),
    ]),
  ]),
  ...[
    { by_selectors: { match: 9, selectors: selectors('a:b') } },
    { by_federates_with: { match: 9, trust_domains: ['a.org'] } },
  ].flatMap((filter) => [list(filter), count(filter)].map(noFailure)),
  ...[
    { by_selectors: { match: 9 } },
    { by_selectors: { match: 9, selectors: [{}] } },
    { by_federates_with: { match: 9 } },
    { by_federates_with: { match: 9, trust_domains: ['no domain'] } },
  ].flatMap((filter) => [list(filter), count(filter)]),
  list({ by_selectors: {} }),
  list({ by_federates_with: {} }),
  count({}),
  { call: 'Entry/CountEntries' },
  count({ by_hint: { value: 'full' } }),
  count({ by_downstream: { value: true } }),
  count({ by_downstream: { value: false } }),
  list(
    { by_selectors: { match: 'MATCH_ANY', selectors: selectors('unix:uid:1', 'unix:uid:2') } },
    { page_size: 1, output_mask: {} },
  ),
  {
    call: 'Entry/ListEntries',
    with: { page_size: 2, output_mask: { hint: true } },
    keep: { next: ({ next_page_token }) => next_page_token },
  },
  {
    call: 'Entry/ListEntries',
    with: (recall) => ({ page_size: 2, page_token: recall('next'), output_mask: { hint: true } }),
    keep: { next: ({ next_page_token }) => next_page_token },
  },
  {
    call: 'Entry/ListEntries',
    with: (recall) => ({ page_token: recall('next'), output_mask: {} }),
  },
  {
    call: 'Entry/ListEntries',
    with: (recall) => ({
      filter: { by_hint: { value: 'full' } },
      page_size: 1,
      page_token: recall('next'),
    }),
  },
]
