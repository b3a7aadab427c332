/**
 * Which registration entries come closest to a process: those of whose selectors it lacks the fewest. Pure; it works
 * on what an agent has and on what a server lists alike.
 */
import { type Selector, selectorType } from '../../spiffe/selector.ts'

export interface Rankable {
  readonly entryId: string
  readonly selectors: readonly Selector[]
}

export interface Close<E extends Rankable> {
  readonly entry: E
  /** Those of the entry's selectors that the process does not have; none: it matches. */
  readonly missing: readonly Selector[]
}

/** The type of the one selector that the alias of a join token has. */
const NODE_ID = 'spiffe_id'

/** @returns at most `count`, the closest first; of equally close ones those that share more, then by entry ID */
export function closestEntries<E extends Rankable>(
  entries: Iterable<E>,
  present: ReadonlySet<Selector>,
  count: number,
): readonly Close<E>[] {
  const best: Close<E>[] = []
  for (const entry of entries) {
    if (!isForWorkloads(entry)) continue
    const missing = entry.selectors.filter((one) => !present.has(one))
    const close = { entry, missing }
    const last = best[count - 1]
    if (last !== undefined && compare(close, last) >= 0) continue
    const at = best.findIndex((other) => compare(close, other) < 0)
    best.splice(at === -1 ? best.length : at, 0, close)
    best.length = Math.min(best.length, count)
  }
  return best
}

/** Without selectors it is for nobody; with that of a node's own ID it stands for a node. */
function isForWorkloads({ selectors }: Rankable): boolean {
  return selectors.length > 0 && !selectors.some((one) => selectorType(one) === NODE_ID)
}

function compare(a: Close<Rankable>, b: Close<Rankable>): number {
  const shared = ({ entry, missing }: Close<Rankable>) => entry.selectors.length - missing.length
  const difference = a.missing.length - b.missing.length || shared(b) - shared(a)
  return difference || (a.entry.entryId < b.entry.entryId ? -1 : 1)
}
