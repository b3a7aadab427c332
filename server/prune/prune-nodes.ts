/**
 * Forgets nodes whose SVIDs have been expired for long. Banned ones stay, however old: their ban would be forgotten with
 * them. Those that cannot attest again by themselves stay too, unless the operator says otherwise.
 *
 * @see SPIRE behaviour §10 — prune_attested_nodes_expired_for
 */
import type { Random } from '../../spiffe/random.ts'
import type { PruneNodesConfig } from '../config.ts'
import type { NodeStore } from '../store/store.ts'
import type { PruneJob } from './prune-loop.ts'

/** SPIRE's: an hour, give or take a quarter of one, so that servers of one database do not all come at once. */
const EVERY_MS = 60 * 60_000
const SPREAD_MS = 15 * 60_000

export interface PruneNodesDeps {
  readonly nodes: Pick<NodeStore, 'pruneExpired'>
  readonly random: Random
}

export function pruneNodesJob(
  { expiredForSeconds, includeNonReattestable, most }: PruneNodesConfig,
  { nodes, random }: PruneNodesDeps,
): PruneJob {
  return {
    what: 'nodes that have been expired for long',
    everyMs: EVERY_MS + (2 * random() - 1) * SPREAD_MS,
    waitsFirst: true,
    mostPerRound: most,
    async prune(now, limit) {
      const expiredBefore = new Date(now.getTime() - expiredForSeconds * 1000)
      return (await nodes.pruneExpired({ expiredBefore, includeNonReattestable, limit })).length
    },
  }
}
