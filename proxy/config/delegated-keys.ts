/**
 * Keys of a proxy that serves many workloads of a node: the agent's admin socket that gives their identities, and for each listener
 * the selectors of the workload that it is for. Fails closed: a listener that names a workload has that one's identity or none.
 */
import { optional, required, section } from '../../config/check.ts'
import { textMap } from '../../config/named.ts'
import { listOf, socketPath, textLike } from '../../config/value.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { parseSelector, type Selector } from '../../spiffe/selector.ts'
import type { ProxyConfig } from '../config.ts'

export interface DelegatedConfig {
  /** Absolute path of the agent's admin socket. */
  readonly socket: string
  /** Of the workload that listeners without selectors are for. */
  readonly selectors: readonly Selector[]
}

/** The workload of one listener, where the proxy serves several. */
export interface OwnWorkload {
  /** Never empty. */
  readonly selectors: readonly Selector[]
  readonly labels: Readonly<Record<string, string>>
}

/** The only one beside the Workload API, which needs no block. */
const DELEGATED = 'delegated'

const selectors = () => listOf(textLike(/^[^:]+:./, 'a selector such as k8s:ns:shop'), 'selectors')

export const identity = section({
  admin_socket: required(
    socketPath(),
    'admin socket of the agent, for which the proxy is a delegate',
  ),
  selectors: required(selectors(), 'of the workload that listeners without selectors are for'),
})

export const selectorsKey = () =>
  optional(selectors(), 'of the workload that it is for, with identity "delegated"')
export const labelsKey = () =>
  optional(textMap('labels and their values'), 'labels of the workload that selectors name')

interface Read {
  readonly name: string
  readonly admin_socket: string
  readonly selectors: readonly string[]
}

/** @throws IdentityError CONFIG_INVALID */
export function delegatedConfig(read: readonly Read[] | undefined): DelegatedConfig | undefined {
  const [one, another] = read ?? []
  if (one === undefined) return undefined
  const wrong = another ?? (one.name === DELEGATED ? undefined : one)
  if (wrong !== undefined) {
    throw invalid(
      `proxy.identity.${wrong.name} is unknown (expected one block, identity "${DELEGATED}")`,
    )
  }
  if (!one.admin_socket.startsWith('/')) {
    throw invalid(`proxy.identity.${DELEGATED}.admin_socket is no absolute path`)
  }
  return { socket: one.admin_socket, selectors: one.selectors.map(parseSelector) }
}

/** Nothing for a listener of the proxy's own workload. */
export function ownWorkload(read: {
  readonly selectors: readonly string[] | undefined
  readonly labels: Readonly<Record<string, string>> | undefined
}): { readonly ownWorkload?: OwnWorkload } {
  if (read.selectors === undefined && read.labels === undefined) return {}
  const { selectors: written = [], labels = {} } = read
  return { ownWorkload: { selectors: written.map(parseSelector), labels } }
}

/** @throws IdentityError CONFIG_INVALID for a workload that nobody could have an identity for */
export function checkDelegated(
  path: string,
  { delegated, inbound, outbound }: Pick<ProxyConfig, 'delegated' | 'inbound' | 'outbound'>,
): void {
  const blocks = [
    ...inbound.map((one) => ({ ...one, kind: 'inbound' })),
    ...outbound.map((one) => ({ ...one, kind: 'outbound' })),
  ]
  if (delegated?.selectors.length === 0) {
    throw invalid(`${path}: proxy.identity.${DELEGATED}.selectors is empty (expected one or more)`)
  }
  for (const { kind, name, ownWorkload: own } of blocks) {
    if (own === undefined) continue
    const key = `proxy.${kind}.${name}`
    if (own.selectors.length === 0) {
      throw invalid(`${path}: ${key} has no selectors (expected some beside labels, or neither)`)
    }
    if (delegated === undefined) {
      throw invalid(
        `${path}: ${key}.selectors needs identity "${DELEGATED}", for the Workload API knows one workload only`,
      )
    }
  }
}

function invalid(message: string): IdentityError {
  return new IdentityError('CONFIG_INVALID', message)
}
