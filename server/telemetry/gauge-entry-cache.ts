/** How much of the store is held in memory, under SPIRE's names. */
import type { Metrics } from '../../telemetry/metrics.ts'
import type { EntryIndex } from '../entries/entry-index.ts'

export function gaugeEntryCache(
  { entryIds, nodeIds }: Pick<EntryIndex, 'entryIds' | 'nodeIds'>,
  metrics: Metrics,
): void {
  metrics.gauge('entry_entries_by_entryid_cache_count', () => countOf(entryIds()))
  metrics.gauge('node_agents_by_id_cache_count', () => countOf(nodeIds()))
}

function countOf(all: Iterable<unknown>): number {
  let count = 0
  for (const _ of all) count += 1
  return count
}
