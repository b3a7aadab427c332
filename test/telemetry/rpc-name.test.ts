import { expect, test } from 'vitest'
import { rpcName } from '../../telemetry/rpc-name.ts'

test.for([
  [
    '/spire.api.server.agent.v1.Agent/AttestAgent',
    'agent.v1.Agent',
    'rpc_agent_v1_agent_attest_agent',
  ],
  [
    '/spire.api.server.svid.v1.SVID/BatchNewX509SVID',
    'svid.v1.SVID',
    'rpc_svid_v1_svid_batch_new_x509svid',
  ],
  ['/spire.api.server.svid.v1.SVID/NewJWTSVID', 'svid.v1.SVID', 'rpc_svid_v1_svid_new_jwtsvid'],
  [
    '/spire.api.server.svid.v1.SVID/NewDownstreamX509CA',
    'svid.v1.SVID',
    'rpc_svid_v1_svid_new_downstream_x509ca',
  ],
  [
    '/spire.api.server.localauthority.v1.LocalAuthority/PrepareX509Authority',
    'localauthority.v1.LocalAuthority',
    'rpc_localauthority_v1_local_authority_prepare_x509_authority',
  ],
  [
    '/spire.api.server.localauthority.v1.LocalAuthority/GetJWTAuthorityState',
    'localauthority.v1.LocalAuthority',
    'rpc_localauthority_v1_local_authority_get_jwt_authority_state',
  ],
  [
    '/spire.api.server.trustdomain.v1.TrustDomain/ListFederationRelationships',
    'trustdomain.v1.TrustDomain',
    'rpc_trustdomain_v1_trust_domain_list_federation_relationships',
  ],
  ['/spire.api.server.logger.v1.Logger/GetLogger', 'Logger', 'rpc_logger_get_logger'],
  ['/spire.api.server.debug.v1.Debug/GetInfo', 'debug.v1.Debug', 'rpc_debug_v1_debug_get_info'],
  ['/spire.api.agent.logger.v1.Logger/GetLogger', 'Logger', 'rpc_logger_get_logger'],
  ['/spire.agent.debug.v1.Debug/GetInfo', 'Debug', 'rpc_debug_get_info'],
  [
    '/spire.api.agent.delegatedidentity.v1.DelegatedIdentity/SubscribeToX509SVIDs',
    'DelegatedIdentity',
    'rpc_delegated_identity_subscribe_to_x509_svids',
  ],
  [
    '/spire.api.agent.delegatedidentity.v1.DelegatedIdentity/FetchJWTSVIDs',
    'DelegatedIdentity',
    'rpc_delegated_identity_fetch_jwtsvi_ds',
  ],
  ['/spiffe.broker.API/FetchJWTSVID', 'spiffe.broker.API', 'rpc_spiffe_broker_api_fetch_jwtsvid'],
  ['/grpc.health.v1.Health/Check', 'Health', 'rpc_health_check'],
  ['/SpiffeWorkloadAPI/FetchX509SVID', 'WorkloadAPI', 'rpc_workload_api_fetch_x509svid'],
  ['/SpiffeWorkloadAPI/FetchJWTBundles', 'WorkloadAPI', 'rpc_workload_api_fetch_jwt_bundles'],
  [
    '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets',
    'SDS.v3',
    'rpc_sds_v3_stream_secrets',
  ],
  ['/steeple.server.sync.v1.Sync/Watch', 'sync.v1.Sync', 'rpc_sync_v1_sync_watch'],
])('%s is %s and %s, as SPIRE 1.15 names it', ([path = '', service, metric]) => {
  expect(rpcName(path)).toEqual({ service, method: path.split('/')[2], metric })
})
