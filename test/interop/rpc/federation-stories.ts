/** Federation relationships: created, read by every mask, changed, refreshed and deleted. */

import {
  ITEM_REFUSAL,
  inOurWords,
  itemInOurWords,
  noFailure,
  takenByOne,
  tooLong,
} from './accepted.ts'
import { WRONG_DOMAINS } from './bundle-requests.ts'
import { root } from './material.ts'
import type { Message } from './methods.ts'
import { differing, type Step } from './story.ts'

const web = (trust_domain: string, changes: Message = {}): Message => ({
  trust_domain,
  bundle_endpoint_url: `https://127.0.0.1:1/${trust_domain}`,
  https_web: {},
  ...changes,
})
const spiffe = (trust_domain: string, changes: Message = {}): Message => ({
  trust_domain,
  bundle_endpoint_url: `https://127.0.0.1:1/${trust_domain}`,
  https_spiffe: { endpoint_spiffe_id: `spiffe://${trust_domain}/endpoint` },
  ...changes,
})
const batch = (
  verb: 'Create' | 'Update',
  relationships: readonly Message[],
  more: Message = {},
): Step => ({
  call: `TrustDomain/Batch${verb}FederationRelationship`,
  with: { federation_relationships: relationships, ...more },
})
const remove = (...trust_domains: readonly string[]): Step => ({
  call: 'TrustDomain/BatchDeleteFederationRelationship',
  with: { trust_domains },
})
const get = (trust_domain: string, more: Message = {}): Step => ({
  call: 'TrustDomain/GetFederationRelationship',
  with: { trust_domain, ...more },
})
const list = (more: Message = {}): Step => ({
  call: 'TrustDomain/ListFederationRelationships',
  with: more,
})
const refresh = (trust_domain: string): Step => ({
  call: 'TrustDomain/RefreshBundle',
  with: { trust_domain },
})

const MASKS = ['bundle_endpoint_url', 'bundle_endpoint_profile', 'trust_domain_bundle']
const seed = (trust_domain: string) => ({
  trust_domain_bundle: {
    trust_domain,
    x509_authorities: [{ asn1: root }],
    refresh_hint: 5,
    sequence_number: 6,
  },
})
const at = (bundle_endpoint_url: string) => web('r9.org', { bundle_endpoint_url })
const through = (endpoint_spiffe_id: string) =>
  spiffe('r9.org', { https_spiffe: { endpoint_spiffe_id } })
const WRONG: readonly Message[] = [
  { trust_domain: 'r9.org' },
  web('r9.org', { https_web: undefined }),
  ...[
    '',
    'nonsense',
    'http://127.0.0.1/b',
    'ftp://127.0.0.1',
    '//127.0.0.1/b',
    'https://',
    'https:///b',
    'https://user@127.0.0.1/b',
    'https://user:pass@127.0.0.1/b',
  ].map(at),
  through(''),
  web('r9.org', seed('other.org')),
  web('r9.org', seed('')),
  web('r9.org', seed('BAD')),
]
const CONVERT = 'failed to convert federation relationship: '
const WORDED: readonly (readonly [Message, string])[] = [
  ...[
    ' ',
    'https://127.0.0.1:x/b',
    'https://127.0.0.1/%zz',
    'https://127.0. 0.1/',
    'https://[::1/b',
  ].map((url) => [at(url), ''] as const),
  ...['nonsense', 'spiffe://BAD/ep', 'spiffe://r9.org/ep/', 'spiffe://', 'https://r9.org'].map(
    (text) => [through(text), 'failed to parse endpoint SPIFFE ID: '] as const,
  ),
  [
    web('r9.org', {
      trust_domain_bundle: {
        trust_domain: 'r9.org',
        x509_authorities: [{ asn1: Buffer.from('garbage') }],
      },
    }),
    'failed to parse bundle: unable to parse X.509 authority: ',
  ],
  [
    web('r9.org', { trust_domain_bundle: { trust_domain: 'r9.org', jwt_authorities: [{}] } }),
    'failed to parse bundle: unable to parse JWT authority: ',
  ],
]
const LONG = 'd'.repeat(256)
const RELATIONSHIP = ITEM_REFUSAL('federation_relationship')

/** The path is not looked at, and so it is f1.org. */
const TAKEN = 'spiffe://f1.org/path'
const unreachable = (step: Step): Step =>
  differing(
    inOurWords(step, 'failed to refresh bundle: '),
    ['code'],
    'who cannot be reached now may be later',
  )

export const FEDERATION: readonly Step[] = [
  list(),
  ...(['Create', 'Update'] as const).flatMap((verb) => [
    batch(verb, []),
    batch(verb, [{}]),
    ...WRONG_DOMAINS.map((name) =>
      batch(verb, [web(name, { bundle_endpoint_url: 'https://127.0.0.1:1/b' })]),
    ),
    ...WRONG.map((wrong) => batch(verb, [wrong])),
    ...WORDED.map(([wrong, prefix]) => itemInOurWords(batch(verb, [wrong]), `${CONVERT}${prefix}`)),
  ]),
  batch('Create', [at('HTTPS://127.0.0.1:1/Bundle')]),
  remove('r9.org'),
  tooLong(batch('Create', [web(LONG)]), RELATIONSHIP),
  takenByOne(remove(LONG), ITEM_REFUSAL('')),
  differing(
    batch('Create', [at('https://127.0.0.1:99999/b')]),
    RELATIONSHIP,
    'there is no such port',
  ),
  takenByOne(remove('r9.org'), ITEM_REFUSAL('')),
  ...WRONG_DOMAINS.filter((name) => name !== TAKEN).flatMap((name) => [
    get(name),
    refresh(name),
    remove(name),
  ]),
  get(TAKEN),
  unreachable(refresh(TAKEN)),
  remove(TAKEN),
  get('nobody.org'),
  refresh('nobody.org'),
  remove(),
  remove('nobody.org'),
  batch('Create', [web('r1.org'), spiffe('r2.org'), web('r1.org'), {}]),
  batch(
    'Create',
    [
      spiffe('r3.org', seed('r3.org')),
      spiffe('r4.org', { https_spiffe: { endpoint_spiffe_id: 'spiffe://other.org/ep' } }),
    ],
    { output_mask: { bundle_endpoint_profile: true } },
  ),
  batch('Create', [web('spiffe://r5.org', { bundle_endpoint_url: 'https://127.0.0.1:1' })]),
  ...MASKS.flatMap((field) => [
    get('r3.org', { output_mask: { [field]: true } }),
    list({ output_mask: { [field]: true } }),
  ]),
  get('r3.org'),
  get('spiffe://r1.org'),
  list(),
  list({ output_mask: {}, page_size: -1 }),
  {
    ...list({ page_size: 2, output_mask: {} }),
    keep: { relationships: ({ next_page_token }) => next_page_token },
  },
  {
    call: 'TrustDomain/ListFederationRelationships',
    with: (recall) => ({ page_size: 2, page_token: recall('relationships'), output_mask: {} }),
  },
  noFailure(list({ page_size: 2, page_token: 'nonsense' })),
  batch('Update', [web('nobody.org')]),
  batch('Update', [spiffe('r1.org', { bundle_endpoint_url: 'https://127.0.0.1:1/new' })]),
  batch('Update', [web('r1.org', { bundle_endpoint_url: 'https://127.0.0.1:1/newer' })], {
    input_mask: {},
  }),
  batch('Update', [web('r1.org', { bundle_endpoint_url: 'https://127.0.0.1:1/newer' })], {
    input_mask: { bundle_endpoint_url: true },
  }),
  batch('Update', [web('r1.org', seed('r1.org'))], {
    input_mask: { bundle_endpoint_profile: true },
    output_mask: {},
  }),
  batch('Update', [web('r1.org', seed('r1.org'))], { input_mask: { trust_domain_bundle: true } }),
  batch('Update', [web('r1.org')], { input_mask: { trust_domain_bundle: true } }),
  batch('Update', [{ trust_domain: 'r1.org' }], { input_mask: {} }),
  batch('Update', [{ trust_domain: 'r1.org', bundle_endpoint_url: 'https://127.0.0.1:1/one' }], {
    input_mask: { bundle_endpoint_url: true },
  }),
  batch('Update', [spiffe('r2.org', seed('r2.org'))]),
  get('r1.org'),
  // SPIRE lists them as they came, and we by name.
  { call: 'Bundle/ListFederatedBundles', with: { output_mask: {} }, inAnyOrder: 'bundles' },
  remove('r1.org', 'nobody.org', '', 'spiffe://r2.org', 'r1.org', 'r3.org', 'r4.org', 'r5.org'),
  list(),
  {
    call: 'Bundle/BatchDeleteFederatedBundle',
    with: { trust_domains: ['r1.org', 'r2.org', 'r3.org'] },
  },
]
