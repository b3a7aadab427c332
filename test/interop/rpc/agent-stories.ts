/** Agents: attested with and without challenge, listed by every filter, renewed, banned and deleted. */
import { generateKey } from '../../../spiffe/key.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { forgedCsr, inOurWords, noFailure, REFUSAL, takenByOne, weakKey } from './accepted.ts'
import { id, WRONG_IDS } from './entry-requests.ts'
import { attest, attestMachine, STRANGER_PAYLOAD, saying, withAnotherKey } from './machine.ts'
import { CSRS, csr, csrFor, key } from './material.ts'
import type { Message } from './methods.ts'
import { differing, type Step } from './story.ts'
import { AGENT_PATH, svidIn } from './world.ts'

const agentPath = (token: string) => `/spire/agent/join_token/${token}`
const token = (request: Message): Step => ({ call: 'Agent/CreateJoinToken', with: request })

type Csr = keyof typeof CSRS
const READABLE = ['p384', 'rsa2048', 'p521', 'ed25519', 'withSubject'] as const
const BROKEN = ['cut', 'longer', 'garbage'] as const
const attestWith = (name: Csr, accepted = (step: Step) => step): readonly Step[] => [
  token({ ttl: 600, token: `csr-${name}` }),
  accepted(attest('join_token', `csr-${name}`, CSRS[name])),
]
const unreadable = (step: Step) => inOurWords(step, 'failed to parse CSR: ')
/** An agent that SPIRE has taken and we have not. */
const evicted = (name: string): Step =>
  takenByOne(forAgent('DeleteAgent', id(agentPath(`csr-${name}`))), REFUSAL)
const forAgent = (verb: string, wire: Message | undefined): Step => ({
  call: `Agent/${verb}`,
  with: wire === undefined ? {} : { id: wire },
})

/** What attested becomes a caller of that name. @param with the key of the certificate */
const calledAs = (name: string, step: Step, withKey = key): Step => ({
  ...step,
  async after(outcome, world) {
    const [reply] = outcome.replies.toReversed()
    if (outcome.code !== 0 || reply === undefined) return
    // Cast: AttestAgent has a result, RenewAgent has the SVID at once.
    await world.addCaller(name, svidIn((reply.result ?? reply) as Message), withKey)
  },
})

const noName = (text: string): Step =>
  differing(
    token({ ttl: 600, token: text }),
    REFUSAL,
    'no SPIFFE ID can hold it; SPIRE says so to the agent that uses it',
  )

export const JOIN_TOKENS: readonly Step[] = [
  token({}),
  token({ ttl: 0 }),
  token({ ttl: -1 }),
  token({ ttl: 600 }),
  token({ ttl: 2147483647, token: 'long' }),
  token({ ttl: 600, token: 'chosen' }),
  inOurWords(token({ ttl: 600, token: 'chosen' }), 'failed to create token: '),
  token({ ttl: 600, token: 'aliased', agent_id: id('/alias') }),
  token({ ttl: 600, token: 'a/b' }),
  ...['a b', ' ', 'ü', '..'].map(noName),
  { call: 'Entry/ListEntries', with: { filter: { by_spiffe_id: id('/alias') } } },
  ...WRONG_IDS.map((wrong, at) =>
    token({ ttl: 600, token: `wrong-${at}`, ...(wrong === undefined ? {} : { agent_id: wrong }) }),
  ),
  attest('join_token', 'nobody'),
  attest('join_token', 'chosen'),
  attest('join_token', 'chosen'),
  attest('join_token', 'aliased', csrFor('spiffe://example.org/ignored')),
  ...READABLE.flatMap((name) => attestWith(name)),
  ...BROKEN.flatMap((name) => attestWith(name, unreadable)),
  ...attestWith('rsa1024', weakKey),
  evicted('rsa1024'),
  ...attestWith('forged', forgedCsr),
  evicted('forged'),
]

const popWords = (step: Step, prefix = ''): Step =>
  inOurWords(step, `nodeattestor(x509pop): ${prefix}`)

export const ATTESTATION: readonly Step[] = [
  { as: 'nobody', call: 'Agent/AttestAgent', with: [] },
  ...[
    {},
    { challenge_response: Buffer.from('early') },
    { params: {} },
    { params: { data: {} } },
    { params: { params: {} } },
    { params: { data: {}, params: {} } },
    { params: { data: {}, params: { csr } } },
    { params: { data: { type: 'join_token' }, params: { csr } } },
    { params: { data: { type: 'join_token' }, params: {} } },
    { params: { data: { payload: Buffer.from('x') }, params: { csr } } },
  ].map((request): Step => ({ as: 'nobody', call: 'Agent/AttestAgent', with: [request] })),
  attest('nonsense', 'x'),
  attest('JOIN_TOKEN', 'x'),
  popWords(attest('x509pop', 'garbage'), 'failed to unmarshal '),
  popWords(attest('x509pop', '{}')),
  differing(
    attest('x509pop', '{"certificates":["AAAA"]}'),
    ['code', 'message'],
    'whatever is wrong with the certificate is a refusal of the node',
  ),
  popWords(attest('x509pop', STRANGER_PAYLOAD), 'certificate verification failed: '),
  popWords(attestMachine(saying({}))),
  popWords(attestMachine(saying({ challenge_response: Buffer.from('garbage') }))),
  differing(
    attestMachine(saying({ challenge_response: Buffer.from('{}') })),
    ['code', 'message'],
    'an answer of no form is wrong by itself, whatever the key',
  ),
  popWords(attestMachine(withAnotherKey), 'challenge response verification failed: '),
  differing(
    attestMachine(() => 'end'),
    ['code', 'message'],
    'the agent has gone: that is no failure of the server',
  ),
  calledAs('machine', attestMachine()),
  calledAs('machine', attestMachine()),
  attest('join_token', 'local-caller'),
  { ...token({ ttl: 600, token: 'over-the-socket' }) },
  { ...attest('join_token', 'over-the-socket'), as: 'local' },
  { as: 'machine', call: 'Agent/RenewAgent', with: { params: { csr } } },
  { as: 'machine', call: 'Agent/PostStatus', with: { agent_version: '1.2.3' } },
]

const FIELDS = [
  'attestation_type',
  'x509svid_serial_number',
  'x509svid_expires_at',
  'selectors',
  'banned',
  'can_reattest',
  'agent_version',
]
const list = (filter: Message | undefined, more: Message = {}): readonly Step[] => [
  { call: 'Agent/ListAgents', with: { ...(filter === undefined ? {} : { filter }), ...more } },
  { call: 'Agent/CountAgents', with: filter === undefined ? {} : { filter } },
]
const NONE = { output_mask: {} }

export const FIND_AGENTS: readonly Step[] = [
  {
    call: 'Agent/ListAgents',
    with: { filter: { by_attestation_type: 'x509pop' } },
    // Cast: as the .proto file has it; there is one.
    keep: { machine: ({ agents }) => (agents as readonly Message[])[0]?.id },
  },
  ...list(undefined),
  ...list({}, NONE),
  ...FIELDS.map(
    (field): Step => ({
      call: 'Agent/GetAgent',
      with: { id: id(AGENT_PATH), output_mask: { [field]: true } },
    }),
  ),
  { call: 'Agent/GetAgent', with: { id: id(AGENT_PATH) } },
  { call: 'Agent/GetAgent', with: { id: id(AGENT_PATH), output_mask: {} } },
  { call: 'Agent/GetAgent', with: { id: id(agentPath('nobody')) } },
  ...['join_token', 'x509pop', 'nonsense'].flatMap((name) =>
    list({ by_attestation_type: name }, NONE),
  ),
  ...['by_banned', 'by_can_reattest'].flatMap((field) =>
    [{}, { value: true }, { value: false }].flatMap((value) => list({ [field]: value }, NONE)),
  ),
  ...[
    '2100-01-01 00:00:00 +0000 +00',
    '2020-01-01 00:00:00 +0000 +00',
    'whenever',
    '2100-01-01T00:00:00Z',
    '2100-01-01 00:00:00 +0000 UTC',
  ].flatMap((text) => list({ by_expires_before: text }, NONE)),
  ...['MATCH_EXACT', 'MATCH_SUBSET', 'MATCH_SUPERSET', 'MATCH_ANY'].flatMap((match) =>
    [
      [{ type: 'x509pop', value: 'subject:cn:node one' }],
      [
        { type: 'x509pop', value: 'subject:cn:node one' },
        { type: 'x', value: 'y' },
      ],
      [{ type: 'x', value: 'y' }],
      [{ type: '', value: 'y' }],
      [{ type: 'x', value: '' }],
      [{ type: 'a:b', value: 'y' }],
    ].flatMap((selectors) => list({ by_selector_match: { match, selectors } }, NONE)),
  ),
  ...list({ by_selector_match: { match: 'MATCH_ANY' } }).map(noFailure),
  { call: 'Agent/GetAgent', with: (recall) => ({ id: recall('machine') }) },
  ...list({
    by_attestation_type: 'x509pop',
    by_can_reattest: { value: true },
    by_banned: { value: false },
  }),
  ...list({ by_attestation_type: 'x509pop', by_can_reattest: { value: false } }),
  {
    call: 'Agent/ListAgents',
    with: { page_size: 2, ...NONE },
    keep: { page: ({ next_page_token }) => next_page_token },
  },
  {
    call: 'Agent/ListAgents',
    with: (recall) => ({ page_size: 2, page_token: recall('page'), ...NONE }),
  },
  { call: 'Agent/ListAgents', with: { page_size: -5, ...NONE } },
  noFailure({ call: 'Agent/ListAgents', with: { page_size: 2, page_token: 'nonsense' } }),
]

const renewWith = (name: Csr): Step => ({
  as: 'agent',
  call: 'Agent/RenewAgent',
  with: { params: { csr: CSRS[name] } },
})

const renewedKey = await generateKey('ec-p256')

/** The agent named `agent` renews twice: each new certificate counts from its first use, and ends the one before. */
export const RENEW_AGENT: readonly Step[] = [
  { as: 'agent', call: 'Agent/RenewAgent' },
  { as: 'agent', call: 'Agent/RenewAgent', with: { params: {} } },
  ...READABLE.map(renewWith),
  ...BROKEN.map((name) => unreadable(renewWith(name))),
  weakKey(renewWith('rsa1024')),
  forgedCsr(renewWith('forged')),
  calledAs(
    'renewed',
    {
      as: 'agent',
      call: 'Agent/RenewAgent',
      with: { params: { csr: createCsr({ key: renewedKey }) } },
    },
    renewedKey,
  ),
  { as: 'agent', call: 'Agent/PostStatus' },
  { call: 'Agent/GetAgent', with: { id: id(AGENT_PATH) } },
  { as: 'renewed', call: 'Agent/PostStatus' },
  { as: 'agent', call: 'Agent/PostStatus' },
  { as: 'agent', call: 'Entry/GetAuthorizedEntries' },
  { as: 'agent', call: 'Bundle/GetBundle', with: { output_mask: {} } },
  { call: 'Agent/GetAgent', with: { id: id(AGENT_PATH) } },
  { as: 'renewed', call: 'Agent/PostStatus', with: { agent_version: 'v'.repeat(255) } },
  { as: 'renewed', call: 'Agent/PostStatus', with: { agent_version: 'v'.repeat(256) } },
  { as: 'renewed', call: 'Agent/PostStatus', with: { agent_version: 'ü'.repeat(128) } },
  {
    as: 'renewed',
    call: 'Agent/PostStatus',
    with: { agent_version: '1.0', current_bundle_serial: 7 },
  },
  { call: 'Agent/GetAgent', with: { id: id(AGENT_PATH), output_mask: { agent_version: true } } },
]

export const REMOVE_AGENTS: readonly Step[] = [
  ...WRONG_IDS.flatMap((wrong) =>
    ['GetAgent', 'BanAgent', 'DeleteAgent'].map((verb) => forAgent(verb, wrong)),
  ),
  forAgent('BanAgent', id(agentPath('nobody'))),
  forAgent('DeleteAgent', id(agentPath('nobody'))),
  forAgent('BanAgent', id(AGENT_PATH)),
  forAgent('BanAgent', id(AGENT_PATH)),
  forAgent('GetAgent', id(AGENT_PATH)),
  { as: 'renewed', call: 'Agent/PostStatus' },
  { as: 'renewed', call: 'Agent/RenewAgent', with: { params: { csr } } },
  { as: 'renewed', call: 'Bundle/GetBundle', with: { output_mask: {} } },
  ...list({ by_banned: { value: true } }, NONE),
  ...list({ by_banned: { value: false } }, NONE),
  ...list({ by_banned: { value: true }, by_expires_before: '2100-01-01 00:00:00 +0000 +00' }, NONE),
  token({ ttl: 600, token: AGENT_PATH.slice(agentPath('').length) }),
  attest('join_token', AGENT_PATH.slice(agentPath('').length)),
  forAgent('DeleteAgent', id(AGENT_PATH)),
  forAgent('DeleteAgent', id(AGENT_PATH)),
  { as: 'renewed', call: 'Agent/PostStatus' },
  forAgent('DeleteAgent', id(agentPath('aliased'))),
  { call: 'Entry/ListEntries', with: { filter: { by_spiffe_id: id('/alias') } } },
  ...list(undefined, NONE),
]
