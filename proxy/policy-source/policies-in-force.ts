/**
 * What is in force of the policies of a cluster, who hears when it changes, and what is wrong with what is not in force.
 * A state is exchanged as a whole: nobody ever sees a part of two.
 */
import type { Log } from '../../log/open-log.ts'
import type { MeshSettings, PolicySnapshot } from '../../policy/snapshot.ts'
import type { Clock } from '../../spiffe/clock.ts'
import {
  type Assembled,
  countObjects,
  type InForceByNamespace,
  isSameInForce,
  snapshotOf,
} from './assemble-policies.ts'
import { missingProviders } from './missing-providers.ts'
import type { Labels } from './policy-copies.ts'
import type { SourceStatus } from './policy-source.ts'

export interface ClusterState {
  readonly inForce: InForceByNamespace
  /** Of the workload's pod; undefined when none is followed. */
  readonly labels: Labels | undefined
}

export interface PoliciesInForce {
  /** Undefined until there is one. */
  state(): ClusterState | undefined
  snapshot(): PolicySnapshot
  status(): Pick<SourceStatus, 'loadedAt' | 'objects' | 'warnings'>
  mistakes(): readonly string[]
  /** Puts it in force, then tells those who listen. */
  enforce(next: ClusterState): void
  /** Remembers what is wrong; what was not said before is said in the log. */
  note(wrong: Pick<Assembled, 'mistakes' | 'warnings'>): void
  onChange(listener: () => void): Disposable
}

export interface PoliciesInForceOptions {
  readonly mesh: MeshSettings
  /** URL of the API server, for the log. */
  readonly server: string
  readonly clock: Clock
  readonly log: Log
}

/** Mistakes in one line of the log; all of them are in the status. */
const MAX_TOLD = 20

export function createPoliciesInForce(options: PoliciesInForceOptions): PoliciesInForce {
  const { mesh, server, clock, log } = options
  const listeners = new Set<() => void>()
  let state: ClusterState | undefined
  let snapshot = snapshotOf(mesh, new Map())
  let loadedAt = clock.now()
  let mistakes: readonly string[] = []
  let warnings: readonly string[] = []
  /** Of what is in force. */
  let missing: readonly string[] = []
  const objects = () => (state === undefined ? 0 : countObjects(state.inForce))
  return {
    state: () => state,
    snapshot: () => snapshot,
    status: () => ({ loadedAt, objects: objects(), warnings: [...warnings, ...missing] }),
    mistakes: () => mistakes,
    enforce(next) {
      state = next
      snapshot = snapshotOf(mesh, next.inForce)
      loadedAt = clock.now()
      const now = missingProviders(snapshot)
      for (const warning of now) if (!missing.includes(warning)) log.warn(warning)
      missing = now
      log.info({ server, objects: objects() }, 'Policies loaded')
      for (const listener of listeners) listener()
    },
    note(wrong) {
      if (wrong.mistakes.length > 0 && wrong.mistakes.join('\n') !== mistakes.join('\n')) {
        const reason = wrong.mistakes.slice(0, MAX_TOLD).join('\n')
        const what = 'Policies cannot be read; the last good ones of their namespaces stay in force'
        log.error({ reason, mistakes: wrong.mistakes.length }, what)
      }
      for (const warning of wrong.warnings) if (!warnings.includes(warning)) log.warn(warning)
      mistakes = wrong.mistakes
      warnings = wrong.warnings
    },
    onChange(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
  }
}

/** Whether two states mean the same. */
export function isSameState(one: ClusterState, other: ClusterState): boolean {
  const text = ({ labels }: ClusterState) =>
    labels === undefined ? '' : JSON.stringify(Object.entries(labels).sort())
  return isSameInForce(one.inForce, other.inForce) && text(one) === text(other)
}
