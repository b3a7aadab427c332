/**
 * How many of something a process has made in one turn of the event loop, whatever has become of it since: what is made and taken back
 * within a turn never shows in what is held, and costs the same.
 */

/** @returns counts one more, and tells whether it is one too many for this turn */
export type CountPerTurn = (pid: number) => boolean

/**
 * Remembers the processes of one turn, which are as many as have connections.
 * @param nextTurn calls back when whatever else has come in has been seen to; the event loop's own if left out
 */
export function countPerTurn(
  limit: number,
  nextTurn: (then: () => void) => unknown = setImmediate,
): CountPerTurn {
  const counts = new Map<number, number>()
  return (pid) => {
    if (counts.size === 0) nextTurn(() => counts.clear())
    const count = (counts.get(pid) ?? 0) + 1
    counts.set(pid, count)
    return count > limit
  }
}
