/** Entries changed by every mask, and deleted. */
import { itemInOurWords } from './accepted.ts'
import { entry, id, REFUSED, selectors, WRONG_IDS } from './entry-requests.ts'
import type { Message } from './methods.ts'
import { differing, type Step } from './story.ts'

const update = (changes: Message, more: Message = {}): Step => ({
  call: 'Entry/BatchUpdateEntry',
  with: { entries: [changes], ...more },
})
export const CHANGE_ENTRIES: readonly Step[] = [
  update(entry({ id: 'one', hint: 'changed' })),
  update(entry({ id: 'one', hint: 'changed' })),
  update(entry({ id: 'one', spiffe_id: id('/uno'), revision_number: 70, created_at: 5 })),
  update(entry({ id: 'nobody' })),
  update(entry({ id: '' })),
  update(entry({ id: 'bad/id' })),
  update({}),
  update({ id: 'one' }),
  { call: 'Entry/BatchUpdateEntry' },
  update({ id: 'one' }, { input_mask: {} }),
  update({ id: 'one', hint: 'masked' }, { input_mask: { hint: true } }),
  update({ id: 'one', hint: 'masked' }, { input_mask: { hint: true }, output_mask: {} }),
  update(
    { id: 'one' },
    { input_mask: { hint: true }, output_mask: { hint: true, revision_number: true } },
  ),
  update({ id: 'one', selectors: [] }, { input_mask: { selectors: true } }),
  update({ id: 'one', selectors: selectors('n:2', 'n:1') }, { input_mask: { selectors: true } }),
  itemInOurWords(
    update({ id: 'one', x509_svid_ttl: -1 }, { input_mask: { x509_svid_ttl: true } }),
    'failed to update entry: datastore-validation: ',
  ),
  itemInOurWords(
    update({ id: 'one', jwt_svid_ttl: -1 }, { input_mask: { jwt_svid_ttl: true } }),
    'failed to update entry: datastore-validation: ',
  ),
  update(
    { id: 'one', x509_svid_ttl: 5, jwt_svid_ttl: 6 },
    { input_mask: { jwt_svid_ttl: true, x509_svid_ttl: true } },
  ),
  update({ id: 'one', spiffe_id: id('/two') }, { input_mask: { spiffe_id: true } }),
  update({ id: 'one', spiffe_id: id('/full') }, { input_mask: { spiffe_id: true } }),
  ...WRONG_IDS.flatMap((wrong) => [
    update({ id: 'one', spiffe_id: wrong }, { input_mask: { spiffe_id: true } }),
    update({ id: 'one', parent_id: wrong }, { input_mask: { parent_id: true } }),
  ]),
  update(
    { id: 'one', admin: true, downstream: true },
    { input_mask: { admin: true, downstream: true } },
  ),
  update({ id: 'one', expires_at: 4102444800 }, { input_mask: { expires_at: true } }),
  update({ id: 'one' }, { input_mask: { expires_at: true } }),
  update({ id: 'one', dns_names: ['z.org', 'a.org'] }, { input_mask: { dns_names: true } }),
  differing(
    update({ id: 'batch-2', dns_names: ['a b'] }, { input_mask: { dns_names: true } }),
    REFUSED,
    'no client would match such a name',
  ),
  { call: 'Entry/BatchDeleteEntry', with: { ids: ['batch-2'] } },
  update({ id: 'one', dns_names: [] }, { input_mask: { dns_names: true } }),
  update({ id: 'one', federates_with: ['unknown.org'] }, { input_mask: { federates_with: true } }),
  update({ id: 'one', federates_with: ['not a domain'] }, { input_mask: { federates_with: true } }),
  update({ id: 'one', store_svid: true }, { input_mask: { store_svid: true } }),
  update(
    { id: 'one', selectors: selectors('a:b', 'c:d'), store_svid: true },
    { input_mask: { selectors: true, store_svid: true } },
  ),
  update({ id: 'one', selectors: selectors('c:d') }, { input_mask: { selectors: true } }),
  update({ id: 'one', selectors: selectors('a:b', 'c:d') }, { input_mask: { selectors: true } }),
  update(
    { id: 'one', additional_attributes: { jwt_svid_include_jti: true } },
    { input_mask: { additional_attributes: true } },
  ),
  differing(
    update(
      { id: 'store-1', additional_attributes: { disable_x509_svid_prefetch: true } },
      { input_mask: { additional_attributes: true } },
    ),
    REFUSED,
    'what no entry may be when it is made, none may become',
  ),
  { call: 'Entry/BatchDeleteEntry', with: { ids: ['store-1'] } },
  update(
    { id: 'one', store_svid: false, additional_attributes: { disable_x509_svid_prefetch: true } },
    { input_mask: { store_svid: true, additional_attributes: true } },
  ),
  update({ id: 'one' }, { input_mask: { additional_attributes: true } }),
  update(
    { id: 'one', revision_number: 99, created_at: 99 },
    { input_mask: { revision_number: true, created_at: true } },
  ),
  update({ id: 'one', hint: 'h'.repeat(1025) }, { input_mask: { hint: true } }),
  {
    call: 'Entry/BatchUpdateEntry',
    with: {
      entries: [
        { id: 'one', hint: 'x' },
        { id: 'nobody', hint: 'x' },
        { id: 'one', hint: 'y' },
      ],
      input_mask: { hint: true },
    },
  },
  { call: 'Entry/GetEntry', with: { id: 'one' } },
  { call: 'Entry/BatchDeleteEntry' },
  { call: 'Entry/BatchDeleteEntry', with: { ids: [''] } },
  {
    call: 'Entry/BatchDeleteEntry',
    with: { ids: ['one', 'nobody', 'one', '', 'bad/id', 'batch-1'] },
  },
  { call: 'Entry/GetEntry', with: { id: 'one' } },
  { call: 'Entry/CountEntries' },
]
