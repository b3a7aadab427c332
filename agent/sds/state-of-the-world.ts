/**
 * One stream of StreamSecrets as a value: what was asked for last, what was answered, and what follows from a request or from
 * other secrets. Each answer has all that is wanted. An answer that was accepted or refused is not repeated; only other
 * secrets or other names bring a new one.
 *
 * @see SPIRE API §9 — versions, nonces, and what an unchanged subscription means
 */
import type { DiscoveryRequest } from '../../proto/gen/envoy/service/discovery/v3/DiscoveryRequest.ts'
import type { DiscoveryResponseInput } from '../../proto/gen/envoy/service/discovery/v3/DiscoveryResponse.ts'
import type { WorkloadUpdate } from '../cache/identity.ts'
import type { AnyMessage } from './encode-secret.ts'
import { type EnvoyNode, readEnvoyNode } from './envoy-node.ts'

export interface WorldState {
  /** Said in the first request, and kept for those that do not say it again. */
  readonly node: EnvoyNode | undefined
  /** As they were written last; undefined until there has been a request. */
  readonly names: readonly string[] | undefined
  /** Told back as it came. */
  readonly typeUrl: string
  readonly update: WorkloadUpdate | undefined
  /** How many updates there have been. */
  readonly version: number
  readonly sent: SentAnswer | undefined
}

interface SentAnswer {
  readonly nonce: string
  readonly version: string
  readonly resources: readonly AnyMessage[]
}

export const NEW_WORLD: WorldState = {
  node: undefined,
  names: undefined,
  typeUrl: '',
  update: undefined,
  version: 0,
  sent: undefined,
}

export type Heard =
  /** It answers something older than what was sent last: the client will speak again. */
  | { readonly kind: 'stale'; readonly expectedNonce: string }
  | {
      readonly kind: 'heard'
      readonly state: WorldState
      /** The client keeps what it had before the last answer. */
      readonly isRejection: boolean
      readonly needsAnswer: boolean
    }

export function hearRequest(state: WorldState, request: DiscoveryRequest): Heard {
  const { sent } = state
  if (sent !== undefined && sent.nonce !== request.response_nonce) {
    return { kind: 'stale', expectedNonce: sent.nonce }
  }
  const { resource_names: names, type_url: typeUrl } = request
  const node = readEnvoyNode(request.node) ?? state.node
  return {
    kind: 'heard',
    state: { ...state, names, node, typeUrl },
    isRejection: sent !== undefined && sent.version !== request.version_info,
    needsAnswer: state.names === undefined || hasChanged(state.names, names),
  }
}

export function seeUpdate(state: WorldState, update: WorkloadUpdate): WorldState {
  return { ...state, update, version: state.version + 1 }
}

/** What is wanted: an empty name stands for none, and no name for everything. */
export function namesOf(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.filter((name) => name !== ''))
}

/** Whether these resources are what the client was sent last. */
export function isSent({ sent }: WorldState, resources: readonly AnyMessage[]): boolean {
  return (
    sent !== undefined &&
    sent.resources.length === resources.length &&
    resources.every(({ value }, at) => sent.resources[at]?.value.equals(value) === true)
  )
}

/** What to send, and the state after it. */
export function answerWorld(
  state: WorldState,
  resources: readonly AnyMessage[],
  nonce: string,
): { readonly state: WorldState; readonly response: DiscoveryResponseInput } {
  const version = String(state.version)
  return {
    state: { ...state, sent: { nonce, version, resources } },
    response: { version_info: version, resources: [...resources], type_url: state.typeUrl, nonce },
  }
}

/** As SPIRE has it: the order does not matter, the number does. */
function hasChanged(before: readonly string[], now: readonly string[]): boolean {
  const known = new Set(before)
  return before.length !== now.length || now.some((name) => !known.has(name))
}
