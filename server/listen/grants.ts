/**
 * Who may call what: one row per method of every service. A method without a row is refused to everybody.
 *
 * @see SPIRE API §2 and §4 — the default policy
 */

/**
 * `local`: over the admin socket. `admin`: an ID of `admin_ids` or of an admin entry. `agent`: an attested
 * agent with the SVID it should have. `downstream`: an ID of a downstream entry.
 */
export type Grant = 'any' | 'local' | 'admin' | 'agent' | 'downstream'

const ADMINISTRATION = ['local', 'admin'] as const satisfies readonly Grant[]
const AGENT = ['agent'] as const satisfies readonly Grant[]
const DOWNSTREAM = ['downstream'] as const satisfies readonly Grant[]
const ANY = ['any'] as const satisfies readonly Grant[]
const LOCAL = ['local'] as const satisfies readonly Grant[]

export const GRANTS: ReadonlyMap<string, readonly Grant[]> = new Map(
  Object.entries({
    '/spire.api.server.agent.v1.Agent': {
      AttestAgent: ANY,
      RenewAgent: AGENT,
      PostStatus: AGENT,
      CountAgents: ADMINISTRATION,
      ListAgents: ADMINISTRATION,
      GetAgent: ADMINISTRATION,
      DeleteAgent: ADMINISTRATION,
      BanAgent: ADMINISTRATION,
      CreateJoinToken: ADMINISTRATION,
    },
    '/spire.api.server.entry.v1.Entry': {
      CountEntries: ADMINISTRATION,
      ListEntries: ADMINISTRATION,
      GetEntry: ADMINISTRATION,
      BatchCreateEntry: ADMINISTRATION,
      BatchUpdateEntry: ADMINISTRATION,
      BatchDeleteEntry: ADMINISTRATION,
      GetAuthorizedEntries: AGENT,
      SyncAuthorizedEntries: AGENT,
    },
    '/spire.api.server.bundle.v1.Bundle': {
      GetBundle: ANY,
      GetFederatedBundle: ['local', 'admin', 'agent'],
      CountBundles: ADMINISTRATION,
      AppendBundle: ADMINISTRATION,
      ListFederatedBundles: ADMINISTRATION,
      BatchCreateFederatedBundle: ADMINISTRATION,
      BatchUpdateFederatedBundle: ADMINISTRATION,
      BatchSetFederatedBundle: ADMINISTRATION,
      BatchDeleteFederatedBundle: ADMINISTRATION,
      PublishJWTAuthority: DOWNSTREAM,
      PublishWITAuthority: DOWNSTREAM,
    },
    '/spire.api.server.svid.v1.SVID': {
      MintX509SVID: ADMINISTRATION,
      MintJWTSVID: ADMINISTRATION,
      MintWITSVID: ADMINISTRATION,
      BatchNewX509SVID: AGENT,
      NewJWTSVID: AGENT,
      BatchNewWITSVID: AGENT,
      NewDownstreamX509CA: DOWNSTREAM,
    },
    '/spire.api.server.trustdomain.v1.TrustDomain': {
      ListFederationRelationships: ADMINISTRATION,
      GetFederationRelationship: ADMINISTRATION,
      BatchCreateFederationRelationship: ADMINISTRATION,
      BatchUpdateFederationRelationship: ADMINISTRATION,
      BatchDeleteFederationRelationship: ADMINISTRATION,
      RefreshBundle: ADMINISTRATION,
    },
    '/spire.api.server.localauthority.v1.LocalAuthority': {
      GetJWTAuthorityState: ADMINISTRATION,
      PrepareJWTAuthority: ADMINISTRATION,
      ActivateJWTAuthority: ADMINISTRATION,
      TaintJWTAuthority: ADMINISTRATION,
      RevokeJWTAuthority: ADMINISTRATION,
      GetX509AuthorityState: ADMINISTRATION,
      PrepareX509Authority: ADMINISTRATION,
      ActivateX509Authority: ADMINISTRATION,
      TaintX509Authority: ADMINISTRATION,
      TaintX509UpstreamAuthority: ADMINISTRATION,
      RevokeX509Authority: ADMINISTRATION,
      RevokeX509UpstreamAuthority: ADMINISTRATION,
      GetWITAuthorityState: ADMINISTRATION,
      PrepareWITAuthority: ADMINISTRATION,
      ActivateWITAuthority: ADMINISTRATION,
      TaintWITAuthority: ADMINISTRATION,
      RevokeWITAuthority: ADMINISTRATION,
    },
    '/steeple.server.sync.v1.Sync': { Watch: AGENT },
    '/steeple.server.federation.v1.Federation': { GetStanding: ADMINISTRATION },
    '/steeple.server.authority.v1.Authority': {
      GetProgress: ADMINISTRATION,
      DiscardPrepared: ADMINISTRATION,
      ListServers: ADMINISTRATION,
      GetOverview: ADMINISTRATION,
      TakeStep: ADMINISTRATION,
      ForgetServer: ADMINISTRATION,
    },
    '/steeple.server.mesh.v1.Mesh': { GetStatus: ADMINISTRATION },
    '/steeple.server.backup.v1.Backup': { Create: LOCAL },
    '/spire.api.server.debug.v1.Debug': { GetInfo: LOCAL },
    '/spire.api.server.logger.v1.Logger': {
      GetLogger: LOCAL,
      SetLogLevel: LOCAL,
      ResetLogLevel: LOCAL,
    },
    '/grpc.health.v1.Health': { Check: LOCAL, List: LOCAL, Watch: LOCAL },
  } satisfies Record<string, Record<string, readonly Grant[]>>).flatMap(([service, methods]) =>
    Object.entries(methods).map(([name, grants]) => [`${service}/${name}`, grants] as const),
  ),
)
