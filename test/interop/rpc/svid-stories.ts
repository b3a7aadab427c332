/** SVIDs of every kind: minted by administrators, signed for agents and for downstream servers. */

import { ITEM_REFUSAL, inOurWords, itemInOurWords, weakKey } from './accepted.ts'
import { entry, id, WRONG_IDS } from './entry-requests.ts'
import { CSRS, csr, csrFor, csrWith, PUBLIC_KEYS } from './material.ts'
import type { Message } from './methods.ts'
import { differing, type Step } from './story.ts'
import type { Outcome } from './wire-call.ts'
import { AGENT_PATH } from './world.ts'

const mint = (request: Message): Step => ({ call: 'SVID/MintX509SVID', with: request })
const mintJwt = (request: Message): Step => ({ call: 'SVID/MintJWTSVID', with: request })
const MINTED = 'spiffe://example.org/minted'
const READABLE = ['p384', 'rsa2048', 'p521', 'ed25519', 'withSubject'] as const
const BROKEN = ['cut', 'longer', 'garbage', 'forged'] as const

const URIS = [
  'spiffe://other.org/minted',
  'spiffe://example.org',
  'spiffe://example.org/spire/server',
  'spiffe://example.org/spire/agent/x',
]
const NO_IDS = [
  'https://example.org/minted',
  'spiffe://example.org/',
  'spiffe://example.org/a/',
  'spiffe://EXAMPLE.org/a',
  'spiffe://example.org/a?b',
  'spiffe://example.org:80/a',
]
const NAMES = [
  ['a.org'],
  ['b.org', 'a.org'],
  ['a.org', 'a.org'],
  ['*.a.org'],
  ['*.a.org', 'b.a.org'],
  ['*'],
  ['a.*.org'],
  ['a_b.org'],
]
const TTLS = [-1, 0, 1, 60, 86400, 2147483647, -2147483648]

const emptyAudience = (step: Step): Step =>
  differing(step, ['code'], 'the same text; the request is wrong, and no failure of the server')

export const MINT: readonly Step[] = [
  mint({}),
  mint({ ttl: 60 }),
  mint({ csr }),
  mint({ csr: csrFor(MINTED, MINTED) }),
  mint({ csr: csrFor(MINTED, 'https://example.org') }),
  ...URIS.map((uri) => mint({ csr: csrFor(uri) })),
  ...NO_IDS.map((uri) => inOurWords(mint({ csr: csrFor(uri) }), 'CSR URI SAN is invalid: ')),
  ...TTLS.map((ttl) => mint({ csr: csrFor(MINTED), ttl })),
  ...READABLE.map((name) => mint({ csr: CSRS[name] })),
  ...BROKEN.map((name) => inOurWords(mint({ csr: CSRS[name] }), '')),
  weakKey(mint({ csr: CSRS.rsa1024 })),
  ...NAMES.map((names) => mint({ csr: csrWith(names) })),
  ...['a..org', '-a.org'].map((name) =>
    inOurWords(mint({ csr: csrWith([name]) }), 'CSR DNS name is invalid: idna error'),
  ),
  mintJwt({}),
  mintJwt({ id: id('/minted') }),
  ...WRONG_IDS.map((wrong) =>
    mintJwt({ audience: ['a'], ...(wrong === undefined ? {} : { id: wrong }) }),
  ),
  emptyAudience(mintJwt({ id: id('/minted'), audience: [''] })),
  ...[['', 'a'], ['a', 'a'], ['b', 'a'], [' '], ['x'.repeat(1000)]].map((audience) =>
    mintJwt({ id: id('/minted'), audience }),
  ),
  ...TTLS.map((ttl) => mintJwt({ id: id('/minted'), audience: ['a'], ttl })),
  { call: 'SVID/MintWITSVID' },
  { call: 'SVID/MintWITSVID', with: { id: id('/minted'), public_key: PUBLIC_KEYS.p256 } },
]

const registered = (changes: Message): Message => entry({ parent_id: id(AGENT_PATH), ...changes })
const batch = (...params: readonly Message[]): Step => ({
  as: 'agent',
  call: 'SVID/BatchNewX509SVID',
  with: { params },
})
const jwt = (request: Message): Step => ({ as: 'agent', call: 'SVID/NewJWTSVID', with: request })
const wit = (...params: readonly Message[]): Step => ({
  as: 'agent',
  call: 'SVID/BatchNewWITSVID',
  with: { params },
})
const noWit = (params: Message): Step =>
  differing(
    wit(params),
    ITEM_REFUSAL(''),
    'no key signs WIT-SVIDs: we say so before we look at what it would sign',
  )
const sync = (...requests: readonly Message[]): Step => ({
  as: 'agent',
  inAnyOrder: 'entries',
  call: 'Entry/SyncAuthorizedEntries',
  with: requests,
})

/** Servers follow what is registered in the background. */
const entriesAre =
  (count: number) =>
  ({ replies: [reply] }: Outcome) =>
    Array.isArray(reply?.entries) && reply.entries.length === count

export const NEW_SVIDS: readonly Step[] = [
  { as: 'agent', inAnyOrder: 'entries', call: 'Entry/GetAuthorizedEntries' },
  sync({}),
  {
    call: 'Entry/BatchCreateEntry',
    with: {
      entries: [
        registered({
          id: 'w1',
          spiffe_id: id('/w1'),
          x509_svid_ttl: 120,
          jwt_svid_ttl: 30,
          dns_names: ['w1.org', 'a.w1.org'],
          hint: 'one',
        }),
        registered({
          id: 'w2',
          spiffe_id: id('/w2'),
          additional_attributes: { jwt_svid_include_jti: true },
          expires_at: 4102444800,
        }),
        entry({ id: 'w3', parent_id: id('/w2'), spiffe_id: id('/w3') }),
        registered({ id: 'w4', spiffe_id: id('/w4'), downstream: true, admin: true }),
      ],
    },
  },
  {
    as: 'agent',
    inAnyOrder: 'entries',
    call: 'Entry/GetAuthorizedEntries',
    until: entriesAre(4),
  },
  ...['spiffe_id', 'selectors', 'hint', 'revision_number'].map(
    (field): Step => ({
      as: 'agent',
      inAnyOrder: 'entries',
      call: 'Entry/GetAuthorizedEntries',
      with: { output_mask: { [field]: true } },
    }),
  ),
  differing(
    sync(),
    ['code', 'message'],
    'who closes a stream without a word has done nothing wrong',
  ),
  sync({}),
  sync({ ids: ['w1'] }),
  sync({ output_mask: {} }),
  sync({ output_mask: { revision_number: true } }),
  sync({ output_mask: { revision_number: true, spiffe_id: true } }),
  sync({ output_mask: { spiffe_id: true } }),
  sync({}, { ids: ['w1'] }),
  batch(),
  batch({}),
  batch({ csr }),
  batch({ entry_id: 'w1' }),
  batch({ entry_id: 'nobody', csr }),
  batch({ entry_id: 'one', csr }),
  batch({ entry_id: 'caller-admin', csr }),
  batch(
    { entry_id: 'w1', csr },
    { entry_id: 'nobody', csr },
    { entry_id: 'w2', csr: csrFor('spiffe://example.org/ignored') },
    {},
    { entry_id: 'w3', csr },
    { entry_id: 'w4', csr },
    { entry_id: 'w1', csr },
  ),
  ...READABLE.map((name) => batch({ entry_id: 'w1', csr: CSRS[name] })),
  ...BROKEN.map((name) => itemInOurWords(batch({ entry_id: 'w1', csr: CSRS[name] }), '')),
  weakKey(batch({ entry_id: 'w1', csr: CSRS.rsa1024 }), ITEM_REFUSAL('svid')),
  batch(...Array.from({ length: 501 }, () => ({ entry_id: 'nobody', csr }))),
  jwt({}),
  jwt({ entry_id: 'w1' }),
  jwt({ audience: ['a'] }),
  jwt({ entry_id: 'nobody', audience: ['a'] }),
  jwt({ entry_id: 'one', audience: ['a'] }),
  emptyAudience(jwt({ entry_id: 'w1', audience: [''] })),
  jwt({ entry_id: 'w1', audience: ['a', '', 'b', 'a'] }),
  jwt({ entry_id: 'w2', audience: ['a'] }),
  jwt({ entry_id: 'w3', audience: ['a'] }),
  wit(),
  wit({}),
  wit({ entry_id: 'w1' }),
  wit({ public_key: PUBLIC_KEYS.p256 }),
  wit({ entry_id: 'nobody', public_key: PUBLIC_KEYS.p256 }),
  noWit({ entry_id: 'w1', public_key: PUBLIC_KEYS.p256 }),
  noWit({ entry_id: 'w1', public_key: PUBLIC_KEYS.garbage }),
  noWit({ entry_id: 'w1', public_key: PUBLIC_KEYS.p256, signing_algorithm: 'none' }),
  wit({ entry_id: 'w1', public_key: PUBLIC_KEYS.p256, signing_algorithm: 'ES256' }),
  {
    call: 'Entry/BatchUpdateEntry',
    with: { entries: [{ id: 'w1', hint: 'changed' }], input_mask: { hint: true } },
  },
  { call: 'Entry/BatchDeleteEntry', with: { ids: ['w2', 'w4'] } },
  {
    as: 'agent',
    inAnyOrder: 'entries',
    call: 'Entry/GetAuthorizedEntries',
    until: entriesAre(1),
  },
  batch({ entry_id: 'w2', csr }),
]

const downstream = (request: Message): Step => ({
  as: 'downstream',
  call: 'SVID/NewDownstreamX509CA',
  with: request,
})

export const DOWNSTREAM: readonly Step[] = [
  inOurWords(downstream({}), 'malformed CSR: '),
  downstream({ csr }),
  downstream({ csr: csrFor(MINTED) }),
  ...TTLS.map((preferred_ttl) => downstream({ csr, preferred_ttl })),
  ...READABLE.map((name) => downstream({ csr: CSRS[name] })),
  ...BROKEN.map((name) => inOurWords(downstream({ csr: CSRS[name] }), '')),
  weakKey(downstream({ csr: CSRS.rsa1024 })),
]

const MANY = 501
const many = Array.from({ length: MANY }, (_, at) => `many-${at}`)
type Listed = readonly { readonly id: string }[]

/** How many come in which message, and which ones: they have no order. */
const counted = ({ replies, ...outcome }: Outcome): Outcome => ({
  ...outcome,
  replies: [
    {
      messages: replies.map(({ entry_revisions: revisions, entries, more }) => ({
        // Casts: as the .proto file has them.
        revisions: (revisions as Listed).length,
        entries: (entries as Listed).length,
        more,
      })),
      ids: replies
        .flatMap(({ entry_revisions: revisions, entries }) =>
          [...(revisions as Listed), ...(entries as Listed)].map(({ id }) => id),
        )
        .toSorted(),
    },
  ],
})

/** More than fit into one message: first what there is, then what is asked for. */
export const MANY_ENTRIES: readonly Step[] = [
  {
    call: 'Entry/BatchCreateEntry',
    with: {
      entries: many.map((name) => registered({ id: name, spiffe_id: id(`/${name}`) })),
      output_mask: {},
    },
  },
  {
    as: 'agent',
    call: 'Entry/GetAuthorizedEntries',
    with: { output_mask: {} },
    inAnyOrder: 'entries',
    until: entriesAre(MANY + 1),
  },
  ...[[], ['many-0', 'many-500', 'nobody', 'many-0'], many].map(
    (ids): Step => ({
      as: 'agent',
      call: 'Entry/SyncAuthorizedEntries',
      with: [{ output_mask: { revision_number: true } }],
      respond: ({ entry_revisions: revisions, more }) => {
        if (more === true) return 'wait'
        return (revisions as Listed).length === 0 || ids.length === 0 ? 'end' : { ids }
      },
      told: counted,
    }),
  ),
  { ...batch(...many.slice(1).map((entry_id) => ({ entry_id }))) },
  { call: 'Entry/BatchDeleteEntry', with: { ids: many } },
]
