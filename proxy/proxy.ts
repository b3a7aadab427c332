/** What the proxy is made of, for those who wire it together. */
import type { Log } from '../log/open-log.ts'
import type { Clock } from '../spiffe/clock.ts'
import type { RandomBytes } from '../spiffe/random.ts'
import type { Connections } from './enforce/connections.ts'
import type { Deadlines } from './http/deadlines.ts'
import type { ProxyIdentity } from './identity/identity.ts'
import type { AccessLog } from './telemetry/access-log.ts'
import type { IstioMetrics } from './telemetry/istio-metrics.ts'
import type { LogLimit } from './telemetry/log-limit.ts'
import type { PlaintextCallers } from './telemetry/plaintext-callers.ts'
import type { TraceIds } from './tracing/trace-ids.ts'
import type { Tracing } from './tracing/tracing.ts'

/** Shared by all listeners of a process. */
export interface ProxyContext {
  readonly identity: ProxyIdentity
  readonly connections: Connections
  readonly metrics: IstioMetrics
  readonly accessLog: AccessLog
  readonly plaintextCallers: PlaintextCallers
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly log: Log
  readonly randomBytes: RandomBytes
  readonly traceIds: TraceIds
  /** For lines that callers can cause. */
  readonly logLimit: LogLimit
  readonly connectTimeoutMs: number
  readonly detectionTimeoutMs: number
  readonly maxConnections: number
  /** Other workers listen at the same addresses. */
  readonly isShared?: boolean
  /** On every connection of our own, so that rules of redirection let it pass; undefined where nothing is captured. */
  readonly socketMark: number | undefined
  /** Left out: nothing is traced. */
  readonly tracing?: Tracing
}
