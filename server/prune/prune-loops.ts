/** Everything that the server clears away, each in a loop of its own. Wiring only. */
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { Random } from '../../spiffe/random.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { ServerConfig } from '../config.ts'
import type { Store } from '../store/store.ts'
import { pruneJobs } from './prune-jobs.ts'
import { pruneRegularly } from './prune-loop.ts'
import { pruneNodesJob } from './prune-nodes.ts'

export interface PruneLoopsDeps {
  readonly store: Store
  readonly random: Random
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Log
}

export function pruneLoops(
  { pruneNodes }: Pick<ServerConfig, 'pruneNodes'>,
  { store, random, metrics, clock, log }: PruneLoopsDeps,
): readonly Loop[] {
  const onPruned = (what: string, count: number) => log.info({ what, count }, 'Pruned')
  const onFailure = (what: string, err: unknown) => log.error({ what, err }, 'Could not prune')
  const measured = <T>(round: () => Promise<T>) => metrics.measure('node_manager_prune', round)
  const nodes = { pruneExpired: (what: Pruning) => measured(() => store.nodes.pruneExpired(what)) }
  const jobs = [
    ...pruneJobs(store),
    ...(pruneNodes === undefined ? [] : [pruneNodesJob(pruneNodes, { nodes, random })]),
  ]
  return jobs.map((job) => (stop) => pruneRegularly(job, { clock, onPruned, onFailure }, stop))
}

type Pruning = Parameters<Store['nodes']['pruneExpired']>[0]
