/**
 * Everything that the server clears away, each in a loop of its own. Of several servers one does it: two would do no harm
 * and only look twice. Wiring only.
 */
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { Random } from '../../spiffe/random.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { ServerConfig } from '../config.ts'
import type { Store } from '../store/store.ts'
import { oneServerAtATime } from '../store/turns.ts'
import { pruneJobs } from './prune-jobs.ts'
import { type PruneJob, pruneRegularly } from './prune-loop.ts'
import { pruneNodesJob } from './prune-nodes.ts'

export interface PruneLoopsDeps {
  readonly store: Store
  readonly random: Random
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Log
}

export function pruneLoops(
  { pruneNodes, caTtlSeconds }: Pick<ServerConfig, 'pruneNodes' | 'caTtlSeconds'>,
  { store, random, metrics, clock, log }: PruneLoopsDeps,
): readonly Loop[] {
  const onPruned = (what: string, count: number) => log.info({ what, count }, 'Pruned')
  const onFailure = (what: string, err: unknown) => log.error({ what, err }, 'Could not prune')
  const measured = <T>(round: () => Promise<T>) => metrics.measure('node_manager_prune', round)
  const nodes = { pruneExpired: (what: Pruning) => measured(() => store.nodes.pruneExpired(what)) }
  const inTurn = (turn: string, jobs: readonly PruneJob[]) => {
    const loopOf =
      (job: PruneJob): Loop =>
      (stop) =>
        pruneRegularly(job, { clock, onPruned, onFailure }, stop)
    return oneServerAtATime(store.turns, turn, jobs.map(loopOf))
  }
  const jobs = inTurn('prune', pruneJobs(store, caTtlSeconds))
  if (pruneNodes === undefined) return [jobs]
  // A turn of its own: only servers that are configured to do it may hold it.
  return [jobs, inTurn('prune nodes', [pruneNodesJob(pruneNodes, { nodes, random })])]
}

type Pruning = Parameters<Store['nodes']['pruneExpired']>[0]
