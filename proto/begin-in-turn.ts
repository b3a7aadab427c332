/**
 * Calls begin a few at a time, one of each process after the other, so that whoever makes a thousand at once waits for them itself and
 * nobody else does. A call that begins costs most of what it costs: its caller is looked at.
 */

/** For each turn of the event loop, which is then a few tens of milliseconds long at most. */
const CALLS_PER_TURN = 32

/** Does it now, or in one of the next turns; in order for each process. */
export type BeginInTurn = (pid: number, begin: () => void) => void

/** @param nextTurn calls back when whatever else has come in has been seen to; the event loop's own if left out */
export function beginInTurn(nextTurn: (then: () => void) => unknown = setImmediate): BeginInTurn {
  /** As many as there are streams, which are bounded. The process that was served last is the last one. */
  const waiting = new Map<number, (() => void)[]>()
  let left = CALLS_PER_TURN
  let isAwaited = false
  const awaitTurn = () => {
    if (isAwaited) return
    isAwaited = true
    nextTurn(turn)
  }
  const turn = () => {
    isAwaited = false
    left = CALLS_PER_TURN
    while (left > 0 && waiting.size > 0) round()
    if (left < CALLS_PER_TURN) awaitTurn()
  }
  /** One of each. */
  const round = () => {
    for (const [pid, queue] of [...waiting]) {
      if (left === 0) return
      left -= 1
      waiting.delete(pid)
      const begin = queue.shift()
      if (queue.length > 0) waiting.set(pid, queue)
      begin?.()
    }
  }
  return (pid, begin) => {
    awaitTurn()
    if (left > 0 && waiting.size === 0) {
      left -= 1
      begin()
      return
    }
    const queue = waiting.get(pid)
    if (queue === undefined) waiting.set(pid, [begin])
    else queue.push(begin)
  }
}
