/** What the agent is made of, for those who wire it together. */
import type { Log } from '../log/open-log.ts'
import type { Clock } from '../spiffe/clock.ts'
import type { Random } from '../spiffe/random.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { WorkloadAttestor } from './attest/workload-attestor.ts'
import type { DiskCache } from './cache/disk-cache.ts'
import type { WorkloadCache } from './cache/workload-cache.ts'
import type { AgentConfig } from './config.ts'
import type { KeyStore } from './keys/key-store.ts'
import type { Distrust } from './node/distrust.ts'
import type { Membership } from './node/membership.ts'
import type { ServerConnection } from './node/server-connection.ts'
import type { Standing } from './node/standing.ts'
import type { SyncRecord } from './sync/sync-record.ts'

export interface AgentDeps {
  readonly log: Log
  readonly clock: Clock
  /** Aborts when the agent is to stop. */
  readonly signal: AbortSignal
  /** Shown by the server beside this agent. */
  readonly version?: string
  /** The Workload API answers. */
  readonly onReady?: () => void
}

/** What is opened before the agent has an identity. */
export interface Agent {
  readonly config: AgentConfig
  readonly deps: AgentDeps
  readonly keys: KeyStore
  readonly disk: DiskCache
  readonly random: Random
  readonly metrics: Metrics
}

/** And what is opened with it. */
export interface RunningAgent extends Agent {
  readonly membership: Membership
  readonly cache: WorkloadCache
  readonly connection: ServerConnection
  readonly standing: Standing
  readonly sync: SyncRecord
  /** The same for workloads that call and for administrators who ask about one. */
  readonly attestors: readonly WorkloadAttestor[]
  readonly distrust: Distrust
}
