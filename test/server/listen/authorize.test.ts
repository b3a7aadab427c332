import { expect, test } from 'vitest'
import {
  agentApi,
  authorityApi,
  backupApi,
  bundleApi,
  debugApi,
  entryApi,
  federationApi,
  healthApi,
  localAuthorityApi,
  loggerApi,
  meshApi,
  svidApi,
  syncApi,
  trustDomainApi,
} from '../../../proto/load.ts'
import type { UnixCaller } from '../../../proto/peer-credentials.ts'
import { authorize, type Standing } from '../../../server/listen/authorize.ts'
import type { Caller } from '../../../server/listen/caller.ts'
import { GRANTS } from '../../../server/listen/grants.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'

const address = { ip: '192.0.2.1', port: 40000 }
const peer = (id: string): Caller => ({
  kind: 'peer',
  ...address,
  svid: { id: parseSpiffeId(id), serialNumber: '1', expiresAt: new Date(0) },
  verifyAgain: async () => {},
})
const unix: UnixCaller = { kind: 'unix', pid: 1, uid: 0, gid: 0, isAlive: () => true }

const standing: Standing = {
  isConfiguredAdmin: (id) =>
    id === 'spiffe://example.org/ops' || id === 'spiffe://partner.org/operator',
  isAdmin: (id) => id === 'spiffe://example.org/admin-entry',
  isDownstream: (id) => id === 'spiffe://example.org/downstream',
}

const CALLERS = {
  local: unix,
  anonymous: { kind: 'anonymous', ...address },
  unnamed: {
    kind: 'unnamed',
    ...address,
    refusal: new IdentityError('CALLER_UNIDENTIFIED', 'client certificate has no URI SAN'),
  },
  workload: peer('spiffe://example.org/shop/cart'),
  agent: peer('spiffe://example.org/spire/agent/join_token/x'),
  'admin of the configuration': peer('spiffe://example.org/ops'),
  'foreign admin of the configuration': peer('spiffe://partner.org/operator'),
  'admin by entry': peer('spiffe://example.org/admin-entry'),
  downstream: peer('spiffe://example.org/downstream'),
} satisfies Record<string, Caller>

type Kind = keyof typeof CALLERS

/** What each grant gives to each kind of caller; whoever is not named is denied. */
const EVERY_PEER = ['workload', 'agent', 'downstream'] as const
const ADMINS = [
  'admin of the configuration',
  'foreign admin of the configuration',
  'admin by entry',
] as const

type Outcome = string | undefined
const administration: Partial<Record<Kind, Outcome>> = {
  local: 'local',
  'admin of the configuration': 'admin',
  'foreign admin of the configuration': 'admin',
  'admin by entry': 'admin',
}
/** Any peer may claim to be an agent; whether it is, its node says. */
const agentOnly: Partial<Record<Kind, Outcome>> = Object.fromEntries(
  [...EVERY_PEER, ...ADMINS].map((kind) => [kind, 'ask-agent']),
)
const anybody: Partial<Record<Kind, Outcome>> = Object.fromEntries(
  Object.keys(CALLERS)
    .filter((kind) => kind !== 'unnamed')
    .map((kind) => [kind, 'nobody']),
)
const localOnly: Partial<Record<Kind, Outcome>> = { local: 'local' }
const downstreamOnly: Partial<Record<Kind, Outcome>> = { downstream: 'downstream' }
const administrationOrAgent = { ...agentOnly, ...administration }

const TABLE: Record<string, Record<string, Partial<Record<Kind, Outcome>>>> = {
  '/spire.api.server.agent.v1.Agent': {
    AttestAgent: anybody,
    CountAgents: administration,
    ListAgents: administration,
    GetAgent: administration,
    DeleteAgent: administration,
    BanAgent: administration,
    CreateJoinToken: administration,
    RenewAgent: agentOnly,
    PostStatus: agentOnly,
  },
  '/spire.api.server.entry.v1.Entry': {
    CountEntries: administration,
    ListEntries: administration,
    GetEntry: administration,
    BatchCreateEntry: administration,
    BatchUpdateEntry: administration,
    BatchDeleteEntry: administration,
    GetAuthorizedEntries: agentOnly,
    SyncAuthorizedEntries: agentOnly,
  },
  '/spire.api.server.bundle.v1.Bundle': {
    CountBundles: administration,
    GetBundle: anybody,
    AppendBundle: administration,
    PublishJWTAuthority: downstreamOnly,
    PublishWITAuthority: downstreamOnly,
    ListFederatedBundles: administration,
    GetFederatedBundle: administrationOrAgent,
    BatchCreateFederatedBundle: administration,
    BatchUpdateFederatedBundle: administration,
    BatchSetFederatedBundle: administration,
    BatchDeleteFederatedBundle: administration,
  },
  '/spire.api.server.svid.v1.SVID': {
    MintX509SVID: administration,
    MintJWTSVID: administration,
    MintWITSVID: administration,
    BatchNewX509SVID: agentOnly,
    NewJWTSVID: agentOnly,
    BatchNewWITSVID: agentOnly,
    NewDownstreamX509CA: downstreamOnly,
  },
  '/spire.api.server.trustdomain.v1.TrustDomain': {
    ListFederationRelationships: administration,
    GetFederationRelationship: administration,
    BatchCreateFederationRelationship: administration,
    BatchUpdateFederationRelationship: administration,
    BatchDeleteFederationRelationship: administration,
    RefreshBundle: administration,
  },
  '/spire.api.server.localauthority.v1.LocalAuthority': {
    GetJWTAuthorityState: administration,
    PrepareJWTAuthority: administration,
    ActivateJWTAuthority: administration,
    TaintJWTAuthority: administration,
    RevokeJWTAuthority: administration,
    GetX509AuthorityState: administration,
    PrepareX509Authority: administration,
    ActivateX509Authority: administration,
    TaintX509Authority: administration,
    TaintX509UpstreamAuthority: administration,
    RevokeX509Authority: administration,
    RevokeX509UpstreamAuthority: administration,
    GetWITAuthorityState: administration,
    PrepareWITAuthority: administration,
    ActivateWITAuthority: administration,
    TaintWITAuthority: administration,
    RevokeWITAuthority: administration,
  },
  '/steeple.server.sync.v1.Sync': { Watch: agentOnly },
  '/steeple.server.federation.v1.Federation': { GetStanding: administration },
  '/steeple.server.mesh.v1.Mesh': { GetStatus: administration },
  '/steeple.server.authority.v1.Authority': {
    GetProgress: administration,
    DiscardPrepared: administration,
    ListServers: administration,
    GetOverview: administration,
    TakeStep: administration,
    ForgetServer: administration,
  },
  '/steeple.server.backup.v1.Backup': { Create: localOnly },
  '/spire.api.server.debug.v1.Debug': { GetInfo: localOnly },
  '/spire.api.server.logger.v1.Logger': {
    GetLogger: localOnly,
    SetLogLevel: localOnly,
    ResetLogLevel: localOnly,
  },
  '/grpc.health.v1.Health': { Check: localOnly, List: localOnly, Watch: localOnly },
}

const rows = Object.entries(TABLE).flatMap(([service, methods]) =>
  Object.entries(methods).map(([name, row]) => [`${service}/${name}`, row] as const),
)

const outcomeOf = (method: string, caller: Caller) => {
  const verdict = authorize(method, caller, standing)
  return verdict.kind === 'allow' ? verdict.as : verdict.kind
}

test.for(rows)('%s is open to exactly those it is meant for', ([method, row]) => {
  const outcomes = Object.fromEntries(
    Object.entries(CALLERS).map(([kind, caller]) => [kind, outcomeOf(method, caller)]),
  )
  const expected = Object.fromEntries(
    // Cast: the keys are those of CALLERS.
    Object.keys(CALLERS).map((kind) => [kind, row[kind as Kind] ?? 'deny']),
  )
  expect(outcomes).toEqual(expected)
})

test('every method of every service has a row, in the table above and in the code', () => {
  const apis = [
    agentApi(),
    authorityApi(),
    backupApi(),
    federationApi(),
    meshApi(),
    bundleApi(),
    debugApi(),
    entryApi(),
    healthApi(),
    localAuthorityApi(),
    loggerApi(),
    svidApi(),
    syncApi(),
    trustDomainApi(),
  ]
  const paths = apis.flatMap((api) => Object.values(api.service).map(({ path }) => path))
  const inTable = new Set<string>(rows.map(([method]) => method))
  expect(paths.filter((path) => !inTable.has(path))).toEqual([])
  expect(paths.filter((path) => !GRANTS.has(path))).toEqual([])
  expect([...GRANTS.keys()].filter((path) => !inTable.has(path))).toEqual([])
})

test.for([
  '',
  '/',
  '/spire.api.server.entry.v1.Entry/',
  '/spire.api.server.debug.v1.Debug/SetInfo',
])('a method without a row is refused to everybody, even on the admin socket: %j', (method) => {
  for (const caller of Object.values(CALLERS)) {
    expect(authorize(method, caller, standing)).toEqual({ kind: 'deny' })
  }
})
