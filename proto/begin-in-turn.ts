/**
 * Calls begin a few at a time, one of each process after the other, so that whoever makes a thousand at once waits for them itself and
 * nobody else does. A call that begins costs most of what it costs: its caller is looked at. One that has ended before does not begin.
 */

/** For each turn of the event loop, which is then a few tens of milliseconds long at most. */
const CALLS_PER_TURN = 32

/** What a call comes over; closed, nobody waits for its answer any more. */
export interface CallStream {
  readonly closed: boolean
  once(event: 'close', listener: () => void): unknown
}

/** Does it now, or in one of the next turns, in order for each process; never when the stream has closed before. */
export type BeginInTurn = (pid: number, stream: CallStream, begin: () => void) => void

interface Waiting {
  readonly stream: CallStream
  readonly begin: () => void
}

/** @param nextTurn calls back when whatever else has come in has been seen to; the event loop's own if left out */
export function beginInTurn(nextTurn: (then: () => void) => unknown = setImmediate): BeginInTurn {
  /** As many as there are open streams, which are bounded. The process that was served last is the last one. */
  const waiting = new Map<number, Set<Waiting>>()
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
    for (const pid of [...waiting.keys()]) {
      if (left === 0) return
      const queue = waiting.get(pid)
      if (queue === undefined) continue
      waiting.delete(pid)
      const next = takeOpen(queue)
      if (queue.size > 0) waiting.set(pid, queue)
      if (next === undefined) continue
      left -= 1
      next.begin()
    }
  }
  const later = (pid: number, call: Waiting) => {
    const queue = waiting.get(pid) ?? new Set()
    waiting.set(pid, queue.add(call))
    call.stream.once('close', () => {
      queue.delete(call)
      if (queue.size === 0 && waiting.get(pid) === queue) waiting.delete(pid)
    })
  }
  return (pid, stream, begin) => {
    if (stream.closed) return
    awaitTurn()
    if (left === 0 || waiting.size > 0) return later(pid, { stream, begin })
    left -= 1
    begin()
  }
}

/** Removes the first call whose stream is open, and those before it. */
function takeOpen(queue: Set<Waiting>): Waiting | undefined {
  for (const call of queue) {
    queue.delete(call)
    if (!call.stream.closed) return call
  }
  return undefined
}
