/**
 * `envoy.service.secret.v3.SecretDiscoveryService` on the workload socket: SVIDs and bundles for an Envoy, which is attested as any
 * workload is and gets what its entries entitle it to, under the names that SPIRE's agent gives them.
 *
 * @see SPIRE API §9
 */
import type { SecretDiscoveryServiceHandlers } from '../../proto/gen/envoy/service/secret/v3/SecretDiscoveryService.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { Implementation } from '../../proto/serve.ts'
import { type AttendDeps, attend } from '../workload-api/attend.ts'
import { streamDelta } from './delta-secrets.ts'
import type { SecretsDeps } from './secrets-for.ts'
import { fetchSecrets, streamSecrets } from './stream-secrets.ts'

export interface SecretDiscoveryDeps extends SecretsDeps, AttendDeps {}

export function secretDiscoveryService(
  deps: SecretDiscoveryDeps,
): Implementation<UnixCaller, SecretDiscoveryServiceHandlers> {
  return {
    StreamSecrets: (requests, call, send) =>
      attend(deps, call, (workload) => streamSecrets(deps, workload, requests, send)),
    FetchSecrets: (request, call) =>
      attend(deps, call, (workload) => fetchSecrets(deps, workload, request)),
    DeltaSecrets: (requests, call, send) =>
      attend(deps, call, (workload) => streamDelta(deps, workload, requests, send)),
  }
}
