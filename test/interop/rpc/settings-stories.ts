/** The same server with other settings: without JWT-SVIDs, and with lifetimes and names of its own. */
import { entry, id } from './entry-requests.ts'
import { attest } from './machine.ts'
import { csr, csrFor, PUBLIC_KEYS } from './material.ts'
import type { Message } from './methods.ts'
import type { Step } from './story.ts'
import { AGENT_PATH } from './world.ts'

export const OTHER_SETTINGS = `
  disable_jwt_svids = true
  ca_ttl = "6h"
  ca_key_type = "ec-p384"
  default_x509_svid_ttl = "7m"
  agent_ttl = "12s"
  ca_subject { country = ["DE"]  organization = ["Town Hall"]  common_name = "tower" }`

const jwtAuthority = (verb: string, request: Message = {}): Step => ({
  call: `LocalAuthority/${verb}JWTAuthority`,
  with: request,
})
const key = { public_key: PUBLIC_KEYS.p256, key_id: 'key-one', expires_at: 4102444800 }

const AUTHORITIES = { x509_authorities: true, jwt_authorities: true }

export const SETTINGS: readonly Step[] = [
  { call: 'Bundle/GetBundle', with: { output_mask: AUTHORITIES } },
  { call: 'Agent/CreateJoinToken', with: { ttl: 1, token: 'brief' } },
  { call: 'SVID/MintX509SVID', with: { csr: csrFor('spiffe://example.org/minted') } },
  { call: 'SVID/MintX509SVID', with: { csr: csrFor('spiffe://example.org/minted'), ttl: 86_400 } },
  { call: 'SVID/MintJWTSVID' },
  { call: 'SVID/MintJWTSVID', with: { id: id('/minted'), audience: ['a'] } },
  { call: 'Agent/CreateJoinToken', with: { ttl: 600, token: 'second' } },
  attest('join_token', 'second'),
  { as: 'agent', call: 'Agent/RenewAgent', with: { params: { csr } } },
  { as: 'agent', call: 'SVID/NewJWTSVID', with: { entry_id: 'nobody', audience: ['a'] } },
  {
    call: 'Entry/BatchCreateEntry',
    with: { entries: [entry({ id: 'w1', parent_id: id(AGENT_PATH) })] },
  },
  {
    as: 'agent',
    call: 'SVID/BatchNewX509SVID',
    with: { params: [{ entry_id: 'w1', csr }] },
    until: ({ replies }) => JSON.stringify(replies).includes('"code":0'),
  },
  { as: 'agent', call: 'SVID/NewJWTSVID', with: { entry_id: 'w1', audience: ['a'] } },
  { as: 'downstream', call: 'SVID/NewDownstreamX509CA', with: { csr } },
  { as: 'downstream', call: 'Bundle/PublishJWTAuthority', with: { jwt_authority: key } },
  { call: 'Bundle/AppendBundle', with: { jwt_authorities: [key], output_mask: AUTHORITIES } },
  { call: 'LocalAuthority/GetJWTAuthorityState' },
  jwtAuthority('Prepare'),
  ...['Activate', 'Taint', 'Revoke'].map((verb) => jwtAuthority(verb, { authority_id: 'x' })),
  { call: 'LocalAuthority/GetX509AuthorityState' },
  { call: 'LocalAuthority/PrepareX509Authority' },
  { call: 'Debug/GetInfo' },
  // On the connection that it has, until its SVID ends.
  { as: 'agent', call: 'Agent/PostStatus', until: ({ code }) => code !== 0 },
  { as: 'agent', call: 'Agent/RenewAgent', with: { params: { csr } } },
  { as: 'agent', call: 'Bundle/GetBundle', with: { output_mask: {} } },
  // Its second is long over.
  attest('join_token', 'brief'),
  { call: 'Agent/CountAgents', with: { filter: { by_banned: { value: false } } } },
]
