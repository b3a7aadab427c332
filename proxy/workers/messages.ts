/**
 * What the thread that knows the agent and the policies and the workers that serve say to each other: plain data, cloned from thread to thread
 * within the process and never written anywhere. Identities carry their private keys.
 */
import type { PolicySnapshot, Workload } from '../../policy/snapshot.ts'
import type { ErrorCode } from '../../spiffe/error.ts'
import type { X509Context } from '../../workload/x509-context.ts'
import type { ProxyConfig } from '../config.ts'
import type { KillSwitchState } from '../enforce/kill-switch.ts'
import type { SourceStatus } from '../policy-source/policy-source.ts'
import type { Self } from '../self.ts'
import type { TrafficReport } from '../telemetry/traffic-report.ts'

export type IdentityState =
  | { readonly kind: 'value'; readonly context: X509Context }
  /** There is none now: nobody is served for this workload. */
  | { readonly kind: 'none'; readonly code: ErrorCode; readonly message: string }

export interface PolicyState {
  readonly snapshot: PolicySnapshot
  readonly status: SourceStatus
  /** By `workloadKey`: what the source knows of each workload by now. */
  readonly workloads: ReadonlyMap<string, Workload>
}

/** Everything that a worker judges by. */
export interface Knowledge {
  /** By `identityKey`. */
  readonly identities: ReadonlyMap<string, IdentityState>
  readonly policies: PolicyState
  readonly killSwitch: KillSwitchState | undefined
}

/** What a worker is started with; it listens when it has all of it. */
export interface WorkerStart {
  /** Its addresses are those that are free indeed. */
  readonly config: ProxyConfig
  readonly self: Self
  readonly knowledge: Knowledge
  /** Of the log, in pino's words. */
  readonly logLevel: string
  readonly hasAccessLog: boolean
}

export type ToWorker =
  | { readonly kind: 'identity'; readonly key: string; readonly state: IdentityState }
  | { readonly kind: 'policies'; readonly state: PolicyState }
  | { readonly kind: 'kill-switch'; readonly state: KillSwitchState | undefined }
  | { readonly kind: 'report'; readonly id: number }
  /** Lines of the access log have been taken. */
  | { readonly kind: 'written' }
  | { readonly kind: 'document'; readonly id: number; readonly answer: DocumentAnswer }
  | { readonly kind: 'drain' }

export type DocumentAnswer =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'access'; readonly lines: string }
  | { readonly kind: 'report'; readonly id: number; readonly report: TrafficReport }
  | {
      readonly kind: 'fetch'
      readonly id: number
      readonly url: string
      readonly ca: string | undefined
      readonly timeoutMs: number
    }

/** Further workloads of a process are told apart by their selectors. */
export function identityKey(selectors: readonly string[]): string {
  return JSON.stringify([...selectors].sort())
}

/** The key of the workload that the proxy stands for itself. */
export const OWN_IDENTITY = 'own'

export function workloadKey({ namespace, name, serviceAccount, labels }: Workload): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([namespace, name, serviceAccount, sorted])
}
