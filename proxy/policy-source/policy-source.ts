/**
 * Where policy comes from: a directory of YAML or the Kubernetes API. Every source fills the same snapshot
 * and hands it over as a whole; a source that fails keeps its last good one and says so.
 */
import type { PolicySnapshot, Workload } from '../../policy/snapshot.ts'

/** What an operator should know of a source. */
export interface SourceStatus {
  /** E.g. `directory /etc/steeple/policies`. */
  readonly source: string
  /** When the snapshot in force was read. */
  readonly loadedAt: Date
  readonly objects: number
  /** Why what is there now is not in force; undefined when it is. */
  readonly problem: string | undefined
  /** What its author should look at again. */
  readonly warnings: readonly string[]
}

export interface PolicySource {
  /** The last good snapshot. */
  current(): PolicySnapshot
  status(): SourceStatus
  /** The workload with what the source knows of it by now, such as its labels; left out by sources that know policies only. */
  workloadNow?(workload: Workload): Workload
  /** Told after every change of the snapshot. */
  onChange(listener: () => void): Disposable
}
