/** DeltaSecrets: only what is new, name by name. SPIRE's agent does not serve it; Envoy asks so with `api_type: DELTA_GRPC`. */
import type { DeltaDiscoveryRequest } from '../../proto/gen/envoy/service/discovery/v3/DeltaDiscoveryRequest.ts'
import type { DeltaDiscoveryResponseInput } from '../../proto/gen/envoy/service/discovery/v3/DeltaDiscoveryResponse.ts'
import type { WorkloadUpdate } from '../cache/identity.ts'
import { requireAlive, type Send, type Workload } from '../workload-api/workload.ts'
import { converse } from './converse.ts'
import { differenceTo, hearDelta, NEW_DELTA } from './delta.ts'
import { reportUnknown, whyUnknown } from './not-authorized.ts'
import { reportRejection } from './report-rejection.ts'
import { nextNonce, type SecretsDeps } from './secrets-for.ts'

/** Ends when the client half-closes or goes away. @throws IdentityError REQUEST_INVALID, INTERNAL */
export async function streamDelta(
  deps: SecretsDeps,
  workload: Workload,
  requests: AsyncIterable<DeltaDiscoveryRequest>,
  send: Send<DeltaDiscoveryResponseInput>,
): Promise<void> {
  const { source, settings, log, whyNone } = deps
  const { pid } = workload.caller
  let state = NEW_DELTA
  let latest: WorkloadUpdate | undefined
  let version = 0
  /** One line of the log for each answer, however often it is refused. */
  let mayRefuse = false
  const tell = async () => {
    if (latest === undefined) return
    requireAlive(workload)
    const difference = differenceTo(state, latest, settings)
    state = difference.state
    const { resources, removed, unknown } = difference
    if (unknown.length > 0) {
      reportUnknown(log, workload, whyUnknown(unknown, latest, workload, whyNone))
    }
    if (resources.length === 0 && removed.length === 0) return
    const nonce = nextNonce(deps)
    mayRefuse = true
    const counts = { count: resources.length, removed: removed.length }
    log.debug({ pid, version, nonce, ...counts }, 'Sending new secrets to a proxy')
    await send({
      system_version_info: String(version),
      resources: [...resources],
      type_url: state.typeUrl,
      nonce,
      removed_resources: [...removed],
    })
  }
  await converse(
    {
      requests,
      states: (signal) => source.watchEveryX509(workload.selectors, signal),
      async hear(request) {
        if (mayRefuse && request.error_detail !== null) {
          mayRefuse = false
          reportRejection(log, pid, request)
        }
        state = hearDelta(state, request)
        await tell()
      },
      async see(update) {
        latest = update
        version += 1
        await tell()
      },
    },
    workload.signal,
  )
}
