/** Bundles of other trust domains: created, changed, set, read and deleted, with and without entries that need them. */
import {
  emptyCertificate,
  ITEM,
  ITEM_REFUSAL,
  itemInOurWords,
  noFailure,
  takenByOne,
  tooLong,
  weakKey,
} from './accepted.ts'
import { BUNDLE_FIELDS, jwt, jwtKey, WRONG_DOMAINS, x509 } from './bundle-requests.ts'
import { entry, id } from './entry-requests.ts'
import { otherRoot, PUBLIC_KEYS, root } from './material.ts'
import type { Message } from './methods.ts'
import { differing, type Step } from './story.ts'

const bundle = (trust_domain: string, changes: Message = {}): Message => ({
  trust_domain,
  ...x509(root),
  ...jwt(jwtKey()),
  refresh_hint: 60,
  sequence_number: 42,
  ...changes,
})
const batch = (
  verb: 'Create' | 'Update' | 'Set',
  bundles: readonly Message[],
  more: Message = {},
): Step => ({ call: `Bundle/Batch${verb}FederatedBundle`, with: { bundle: bundles, ...more } })
const remove = (trust_domains: readonly string[], more: Message = {}): Step => ({
  call: 'Bundle/BatchDeleteFederatedBundle',
  with: { trust_domains, ...more },
})
const get = (trust_domain: string, more: Message = {}): Step => ({
  call: 'Bundle/GetFederatedBundle',
  with: { trust_domain, ...more },
})
const list = (more: Message = {}): Step => ({
  call: 'Bundle/ListFederatedBundles',
  with: { output_mask: {}, ...more },
})

const VERBS = ['Create', 'Update', 'Set'] as const
const BROKEN_CERTIFICATES = [x509(Buffer.from('garbage')), x509(root.subarray(0, 50))]
const BROKEN_KEYS = [jwt({}), jwt(jwtKey({ public_key: PUBLIC_KEYS.garbage }))]
const wrongBundles = (verb: 'Create' | 'Update' | 'Set'): readonly Step[] => [
  ...BROKEN_CERTIFICATES.map((wrong) =>
    itemInOurWords(
      batch(verb, [bundle('f6.org', wrong)]),
      'failed to convert bundle: unable to parse X.509 authority: ',
    ),
  ),
  ...BROKEN_KEYS.map((wrong) =>
    itemInOurWords(
      batch(verb, [bundle('f6.org', wrong)]),
      'failed to convert bundle: unable to parse JWT authority: ',
    ),
  ),
  batch(verb, [bundle('f6.org', jwt(jwtKey({ key_id: '' })))]),
  batch(verb, [bundle('f6.org', jwt(jwtKey(), jwtKey({ public_key: PUBLIC_KEYS.other })))]),
  batch(verb, [bundle('f6.org', { wit_authorities: [jwtKey()] })]),
]
/** One refuses what the other takes; it is removed again. */
const parted = (
  name: string,
  changes: Message,
  accepted: (step: Step, at: readonly string[]) => Step,
  removal = ITEM_REFUSAL(''),
): readonly Step[] => [
  accepted(batch('Create', [bundle(name, changes)]), ITEM_REFUSAL('bundle')),
  takenByOne(remove([name]), removal),
]
const LONG = 'd'.repeat(256)

export const FEDERATED_BUNDLES: readonly Step[] = [
  list(),
  ...VERBS.flatMap((verb) => [
    batch(verb, []),
    batch(verb, [{}]),
    ...WRONG_DOMAINS.map((name) => batch(verb, [bundle(name)])),
  ]),
  ...WRONG_DOMAINS.map((name) => get(name)),
  ...WRONG_DOMAINS.map((name) => remove([name])),
  get('nobody.org'),
  remove(['nobody.org']),
  remove([]),
  batch('Create', [bundle('f1.org')]),
  batch('Create', [bundle('f1.org')]),
  batch(
    'Create',
    [bundle('spiffe://f2.org'), {}, bundle('f1.org'), bundle('f3.org', { ...x509(), ...jwt() })],
    { output_mask: { refresh_hint: true } },
  ),
  batch('Create', [bundle('f4.org', { refresh_hint: -1, sequence_number: 0 })]),
  ...parted(
    'f5.org',
    x509(Buffer.concat([root, otherRoot])),
    (step) =>
      differing(
        step,
        [`${ITEM}.bundle.x509_authorities.1`],
        'SPIRE keeps two certificates that come as one as they are; we keep each by itself',
      ),
    [],
  ),
  ...VERBS.flatMap(wrongBundles),
  ...parted(LONG, {}, tooLong),
  ...parted('f8.org', x509(Buffer.from('')), emptyCertificate),
  ...parted('f9.org', jwt(jwtKey({ public_key: PUBLIC_KEYS.rsa1024 })), weakKey),
  batch('Update', [bundle('nobody.org')]),
  batch('Update', [bundle('f1.org', { refresh_hint: 61 })]),
  batch(
    'Update',
    [bundle('f1.org', { ...x509(otherRoot), ...jwt(), refresh_hint: 1, sequence_number: 1 })],
    { input_mask: {} },
  ),
  ...BUNDLE_FIELDS.map((field) =>
    batch(
      'Update',
      [
        bundle('f1.org', {
          ...x509(otherRoot),
          ...jwt(jwtKey({ key_id: field })),
          refresh_hint: 7,
          sequence_number: 8,
        }),
      ],
      { input_mask: { [field]: true } },
    ),
  ),
  itemInOurWords(
    batch('Update', [bundle('f1.org', x509(Buffer.from('garbage')))], {
      input_mask: { refresh_hint: true },
    }),
    'failed to convert bundle: ',
  ),
  itemInOurWords(
    batch('Update', [bundle('f1.org', x509(Buffer.from('garbage')))], {
      input_mask: { x509_authorities: true },
    }),
    'failed to convert bundle: ',
  ),
  batch('Update', [bundle('f1.org'), bundle('f2.org')], { output_mask: { sequence_number: true } }),
  batch('Set', [bundle('f1.org', { ...x509(), sequence_number: 1 })]),
  batch('Set', [bundle('f7.org')], { output_mask: {} }),
  ...BUNDLE_FIELDS.map((field) => get('f1.org', { output_mask: { [field]: true } })),
  get('f1.org'),
  get('spiffe://f1.org', { output_mask: {} }),
  { ...get('f1.org', { output_mask: {} }), as: 'agent' },
  list({ output_mask: undefined }),
  list({ page_size: -1 }),
  { ...list({ page_size: 2 }), keep: { bundles: ({ next_page_token }) => next_page_token } },
  {
    call: 'Bundle/ListFederatedBundles',
    with: (recall) => ({ output_mask: {}, page_size: 2, page_token: recall('bundles') }),
  },
  noFailure(list({ page_size: 2, page_token: 'nonsense' })),
  { call: 'Bundle/CountBundles' },
  {
    call: 'Entry/BatchCreateEntry',
    with: {
      entries: [
        entry({ id: 'fed-1', spiffe_id: id('/fed-1'), federates_with: ['f1.org', 'f2.org'] }),
        entry({
          id: 'fed-2',
          spiffe_id: id('/fed-2'),
          federates_with: ['spiffe://f7.org', 'f1.org'],
        }),
      ],
    },
  },
  ...['MATCH_EXACT', 'MATCH_SUBSET', 'MATCH_SUPERSET', 'MATCH_ANY'].flatMap((match) =>
    [['f1.org'], ['f1.org', 'f2.org'], ['f1.org', 'f2.org', 'f7.org'], ['f7.org'], ['f4.org']].map(
      (trust_domains): Step => ({
        call: 'Entry/ListEntries',
        with: {
          filter: { by_federates_with: { match, trust_domains } },
          output_mask: { federates_with: true },
        },
      }),
    ),
  ),
  {
    call: 'Entry/BatchUpdateEntry',
    with: {
      entries: [
        { id: 'fed-1', federates_with: ['f3.org', 'f1.org'] },
        { id: 'fed-1', federates_with: ['gone.org'] },
      ],
      input_mask: { federates_with: true },
    },
  },
  remove(['f1.org']),
  remove(['f7.org', 'nobody.org', 'f5.org', ''], { mode: 'RESTRICT' }),
  remove(['f7.org'], { mode: 'DISSOCIATE' }),
  differing(
    { call: 'Entry/GetEntry', with: { id: 'fed-2' } },
    ['replies.0.revision_number'],
    'agents see by the revision that an entry has changed; SPIRE leaves it as it was',
  ),
  remove(['f3.org'], { mode: 'DELETE' }),
  { call: 'Entry/GetEntry', with: { id: 'fed-1' } },
  remove(['f1.org'], { mode: 5 }),
  remove(['f1.org', 'f1.org', 'nobody.org'], { mode: 'DELETE' }),
  { call: 'Entry/GetEntry', with: { id: 'fed-2' } },
  list(),
  remove(['f2.org', 'f4.org']),
]
