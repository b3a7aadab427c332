/** Entries created, with every field right and wrong. */
import { itemInOurWords, tooLong } from './accepted.ts'
import { entry, gone, id, REFUSED, selectors, WRONG_IDS } from './entry-requests.ts'
import type { Message } from './methods.ts'
import { differing, type Step } from './story.ts'
import { TRUST_DOMAIN } from './world.ts'

const create = (...entries: readonly Message[]): Step => ({
  call: 'Entry/BatchCreateEntry',
  with: { entries },
})
const createOne = (changes: Message): Step => create(entry(changes))
const FULL = {
  id: 'full',
  spiffe_id: id('/full'),
  selectors: selectors('unix:uid:2', 'unix:gid:2', 'docker:label:x:y'),
  x509_svid_ttl: 300,
  jwt_svid_ttl: 60,
  admin: true,
  downstream: true,
  expires_at: 4102444800,
  dns_names: ['a.example.org', 'b.example.org'],
  hint: 'full',
  additional_attributes: { disable_x509_svid_prefetch: true, jwt_svid_include_jti: true },
  revision_number: 7,
  created_at: 1,
}

const longId = (field: 'spiffe' | 'parent'): readonly Step[] => [
  tooLong(createOne({ id: 'too-long', [`${field}_id`]: id(`/${'p'.repeat(2049)}`) }), REFUSED),
  gone('too-long'),
]
const INVALID = 'failed to create entry: datastore-validation: invalid registration entry: '
const TWICE = 'what is given twice counts once; in SPIRE a constraint of its database fails'
const dnsName = (name: string, at: number): Step =>
  createOne({ id: `d${at}`, spiffe_id: id(`/d${at}`), dns_names: [name] })

/** Each wrong ID as the SPIFFE ID and as the parent ID; what is taken as a parent gets a name of its own. */
const WRONG_ID_STEPS: readonly Step[] = WRONG_IDS.flatMap((wrong, at) => [
  createOne({ id: `wrong-id-${at}`, spiffe_id: wrong }),
  createOne({ id: `wrong-parent-${at}`, parent_id: wrong }),
])

export const CREATE_ENTRIES: readonly Step[] = [
  create(),
  create({}),
  createOne({ id: 'one' }),
  createOne({ id: 'one' }),
  createOne({ id: 'other' }),
  itemInOurWords(createOne({ id: 'one', spiffe_id: id('/uno') }), 'failed to create entry: '),
  createOne({ spiffe_id: id('/random-id') }),
  createOne(FULL),
  createOne({ ...FULL, id: 'full-again' }),
  itemInOurWords(
    create(
      entry({ id: 'batch-1', spiffe_id: id('/b1') }),
      entry({ id: 'bad', selectors: [] }),
      entry({ id: 'batch-2', spiffe_id: id('/b2') }),
      entry({ id: 'batch-1', spiffe_id: id('/b3') }),
      entry({ id: 'batch-4', spiffe_id: id('/b1') }),
    ),
    'failed to create entry: ',
    3,
  ),
  ...WRONG_ID_STEPS,
  ...longId('spiffe'),
  ...longId('parent'),
  {
    call: 'Entry/ListEntries',
    with: { filter: { by_parent_id: id('/parent') }, output_mask: { spiffe_id: true } },
  },
  { call: 'Entry/BatchDeleteEntry', with: { ids: ['wrong-parent-8'] } },
  createOne({ id: 'server-child', parent_id: id('/spire/server'), spiffe_id: id('/node') }),
  createOne({
    id: 'agent-child',
    parent_id: id('/spire/agent/join_token/none'),
    spiffe_id: id('/node'),
  }),
  createOne({ id: 'no-selectors', selectors: [] }),
  createOne({ id: 's1', selectors: [{ type: '', value: 'x' }] }),
  createOne({ id: 's2', selectors: [{ type: 'x', value: '' }] }),
  createOne({ id: 's3', selectors: [{ type: 'a:b', value: 'x' }] }),
  createOne({ id: 's4', selectors: [{}] }),
  differing(
    createOne({ id: 's5', spiffe_id: id('/s5'), selectors: selectors('b:2', 'a:1', 'b:2', 'a:0') }),
    REFUSED,
    TWICE,
  ),
  gone('s5'),
  createOne({ id: 's5', spiffe_id: id('/s5'), selectors: selectors('b:2', 'a:1', 'a:0') }),
  createOne({
    id: 's7',
    spiffe_id: id('/s7'),
    selectors: selectors('a:b', 'a-b:a', 'b:1', 'a:a:c'),
  }),
  createOne({ id: 's6', selectors: [{ type: 'spaced type', value: ' ' }], spiffe_id: id('/s6') }),
  itemInOurWords(createOne({ id: 't1', x509_svid_ttl: -1 }), `${INVALID}X509SvidTtl is not set`),
  itemInOurWords(createOne({ id: 't2', jwt_svid_ttl: -1 }), `${INVALID}JwtSvidTtl is not set`),
  createOne({
    id: 't3',
    x509_svid_ttl: 2147483647,
    jwt_svid_ttl: 2147483647,
    spiffe_id: id('/t3'),
  }),
  createOne({ id: 'x1', expires_at: -1, spiffe_id: id('/x1') }),
  createOne({ id: 'x2', expires_at: 253402300800, spiffe_id: id('/x2') }),
  differing(
    createOne({ id: 'x3', expires_at: '9223372036854775807', spiffe_id: id('/x3') }),
    REFUSED,
    'no calendar has such a day',
  ),
  gone('x3'),
  createOne({ id: 'h1', hint: 'h'.repeat(1024), spiffe_id: id('/h1') }),
  createOne({ id: 'h2', hint: 'h'.repeat(1025), spiffe_id: id('/h2') }),
  createOne({ id: 'f1', federates_with: ['unknown.org'] }),
  createOne({ id: 'f2', federates_with: ['spiffe://unknown.org'] }),
  createOne({ id: 'f3', federates_with: ['not a domain'] }),
  createOne({ id: 'f4', federates_with: [''] }),
  createOne({ id: 'f5', federates_with: [TRUST_DOMAIN], spiffe_id: id('/f5') }),
  createOne({ id: 'bad/id' }),
  createOne({ id: 'bad id' }),
  createOne({ id: 'ümlaut' }),
  createOne({ id: 'i'.repeat(255), spiffe_id: id('/long') }),
  itemInOurWords(
    createOne({ id: 'i'.repeat(256), spiffe_id: id('/longer') }),
    `${INVALID}entry ID too long`,
  ),
  createOne({ id: 'store-1', store_svid: true, spiffe_id: id('/store') }),
  createOne({ id: 'store-2', store_svid: true, selectors: selectors('a:b', 'c:d') }),
  createOne({
    id: 'store-3',
    store_svid: true,
    additional_attributes: { disable_x509_svid_prefetch: true },
    spiffe_id: id('/store3'),
  }),
  createOne({ id: 'attributes', additional_attributes: {}, spiffe_id: id('/attributes') }),
  ...[
    '',
    ' ',
    '.',
    'a.',
    'A.example.org',
    '*',
    '*.',
    '*.a.org',
    '*.*.a.org',
    'a.*.org',
    'a*.org',
    'a_b.org',
    'ümlaut.org',
    'xn--mlaut-jva.org',
    'localhost',
    '1.2.3.4',
    `${'l'.repeat(63)}.org`,
  ].map(dnsName),
  ...[
    '.a',
    'a..b',
    '-a.org',
    'a-.org',
    'ab--cd.org',
    `${'l'.repeat(64)}.org`,
    `${'abcdefgh.'.repeat(30)}org`,
  ].map((name, at) =>
    itemInOurWords(dnsName(name, at + 50), 'failed to convert entry: invalid DNS name: idna error'),
  ),
  ...['a b', 'a/b'].flatMap((name, at) => [
    differing(dnsName(name, at + 100), REFUSED, 'no client would match such a name'),
    gone(`d${at + 100}`),
  ]),
  differing(
    createOne({ id: 'd-twice', dns_names: ['a.org', 'a.org'], spiffe_id: id('/d-twice') }),
    REFUSED,
    TWICE,
  ),
  gone('d-twice'),
  createOne({ id: 'd-covered', dns_names: ['*.a.org', 'b.a.org'], spiffe_id: id('/d-covered') }),
  {
    call: 'Entry/BatchCreateEntry',
    with: {
      entries: [entry({ ...FULL, id: 'masked', spiffe_id: id('/masked') }), entry({ id: 'one' })],
      output_mask: {},
    },
  },
  {
    call: 'Entry/BatchCreateEntry',
    with: {
      entries: [entry({ ...FULL, id: 'masked-2', spiffe_id: id('/masked-2') })],
      output_mask: { spiffe_id: true, hint: true, created_at: true },
    },
  },
  createOne({
    ...FULL,
    id: '',
    spiffe_id: id('/masked-2'),
    parent_id: id('/parent'),
    hint: 'other',
  }),
]
