/** What is open and what has been counted, at one moment, as plain data: what operators see of a proxy or of one of its workers. */
import type { LiveConnection } from '../enforce/connections.ts'
import type { IssuerStatus } from '../policy-source/issuer-keys.ts'
import type { ProxyContext } from '../proxy.ts'
import type { PlaintextCaller } from './plaintext-callers.ts'

export interface ShownConnection
  extends Pick<
    LiveConnection,
    'direction' | 'listener' | 'protocol' | 'source' | 'destination' | 'openedAt'
  > {
  readonly peer: { readonly id: string } | undefined
}

export interface TrafficReport {
  /** All that are open; fewer are listed. */
  readonly total: number
  readonly connections: readonly ShownConnection[]
  readonly plaintext: readonly PlaintextCaller[]
  /** Callers in plaintext that there was no room for. */
  readonly forgotten: number
  readonly issuers: readonly IssuerStatus[]
  /** Lines of the access log that were left out. */
  readonly dropped: number
  /** In Prometheus' text form. */
  readonly metrics: string
}

/** Of one worker, in one report. */
const MAX_CONNECTIONS = 1_000
export const NO_REPORT: TrafficReport = {
  ...{ total: 0, connections: [], plaintext: [], forgotten: 0 },
  ...{ issuers: [], dropped: 0, metrics: '' },
}

export function reportOf(
  context: Pick<
    ProxyContext,
    'connections' | 'plaintextCallers' | 'accessLog' | 'metrics' | 'tracing'
  >,
  issuers: readonly IssuerStatus[],
): TrafficReport {
  const { connections, plaintextCallers, accessLog, metrics, tracing } = context
  const listed = Iterator.from(connections.list()).take(MAX_CONNECTIONS)
  return {
    total: connections.size,
    connections: [...listed].map((one) => ({
      ...{ direction: one.direction, listener: one.listener, protocol: one.protocol },
      ...{ source: one.source, destination: one.destination, openedAt: one.openedAt },
      peer: one.peer === undefined ? undefined : { id: one.peer.id },
    })),
    ...{ plaintext: plaintextCallers.list(), forgotten: plaintextCallers.forgotten, issuers },
    ...{ dropped: accessLog.dropped, metrics: metrics.text() + (tracing?.metricsText() ?? '') },
  }
}
