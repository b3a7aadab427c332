/** StreamSecrets and FetchSecrets: the state of the world, as Envoy asks for it unless it is told otherwise. */
import type { DiscoveryRequest } from '../../proto/gen/envoy/service/discovery/v3/DiscoveryRequest.ts'
import type { DiscoveryResponseInput } from '../../proto/gen/envoy/service/discovery/v3/DiscoveryResponse.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { requireAlive, type Send, type Workload } from '../workload-api/workload.ts'
import { checkNames, checkTypeUrl } from './check-names.ts'
import { converse } from './converse.ts'
import { readEnvoyNode } from './envoy-node.ts'
import { reportRejection } from './report-rejection.ts'
import { nextNonce, type SecretsDeps, secretsFor } from './secrets-for.ts'
import {
  answerWorld,
  hearRequest,
  isSent,
  NEW_WORLD,
  namesOf,
  seeUpdate,
} from './state-of-the-world.ts'

/**
 * Ends when the client half-closes or goes away.
 * @throws IdentityError REQUEST_INVALID in SPIRE's words as soon as a name stands for nothing that the workload may have
 */
export async function streamSecrets(
  deps: SecretsDeps,
  workload: Workload,
  requests: AsyncIterable<DiscoveryRequest>,
  send: Send<DiscoveryResponseInput>,
): Promise<void> {
  const { source, log } = deps
  const { pid } = workload.caller
  let state = NEW_WORLD
  /** One line of the log for each answer, however often it is refused. */
  let mayRefuse = false
  const answer = async (isAsked: boolean) => {
    const { update, names, node } = state
    if (update === undefined || names === undefined) return
    requireAlive(workload)
    const resources = secretsFor(deps, workload, update, { names: namesOf(names), node })
    if (!isAsked && isSent(state, resources)) return
    const next = answerWorld(state, resources, nextNonce(deps))
    state = next.state
    mayRefuse = true
    const { version_info: version, nonce } = next.response
    log.debug({ pid, version, nonce, count: resources.length }, 'Sending secrets to a proxy')
    await send(next.response)
  }
  await converse(
    {
      requests,
      states: (signal) => source.watchEveryX509(workload.selectors, signal),
      async hear(request) {
        checkNames(request.resource_names)
        checkTypeUrl(request.type_url)
        const heard = hearRequest(state, request)
        if (heard.kind === 'stale') {
          const fields = { pid, expected: heard.expectedNonce }
          log.debug(fields, 'Ignored a request that answers an earlier nonce')
          return
        }
        if (mayRefuse && (heard.isRejection || request.error_detail !== null)) {
          mayRefuse = false
          reportRejection(log, pid, request)
        }
        state = heard.state
        if (heard.needsAnswer) await answer(true)
      },
      async see(update) {
        state = seeUpdate(state, update)
        await answer(false)
      },
    },
    workload.signal,
  )
}

/** Waits until every identity has its SVID. Has neither version nor nonce. @throws IdentityError as `streamSecrets` */
export async function fetchSecrets(
  deps: SecretsDeps,
  workload: Workload,
  { resource_names, node, type_url }: DiscoveryRequest,
): Promise<DiscoveryResponseInput> {
  checkNames(resource_names)
  checkTypeUrl(type_url)
  const wish = { names: namesOf(resource_names), node: readEnvoyNode(node) }
  for await (const update of deps.source.watchEveryX509(workload.selectors, workload.signal)) {
    requireAlive(workload)
    return { resources: [...secretsFor(deps, workload, update, wish)], type_url }
  }
  throw new IdentityError('CANCELED', 'the caller has gone')
}
