/**
 * A stream of states for a delegate: now, and whenever the answer has become another one. Before each look it is asked whether the
 * delegate may still have it, so that a lost authorization ends the stream at once, not with the next change of what it carries.
 */
import type { News } from '../cache/news.ts'

export interface StateStream<T> {
  readonly news: News
  /** Throws what ends the stream. */
  readonly requireAllowed: () => void
  /** Undefined: there is nothing to send yet. @param sent what was sent last */
  readonly look: (sent: T | undefined) => T | undefined
  readonly isSame: (a: T, b: T) => boolean
  readonly send: (state: T) => Promise<void>
  /** How long changes are gathered after this one has been sent; not at all if left out. */
  readonly pause?: (state: T, signal: AbortSignal) => Promise<void>
}

/** Resolves when the signal aborts; a reader that is slow sees the newest state only. */
export async function followState<T>(stream: StateStream<T>, signal: AbortSignal): Promise<void> {
  const { news, requireAllowed, look, isSame, send, pause } = stream
  let last: T | undefined
  while (!signal.aborted) {
    const version = news.version()
    requireAllowed()
    const next = look(last)
    if (next !== undefined && (last === undefined || !isSame(last, next))) {
      last = next
      await send(next)
      await pause?.(next, signal)
    }
    await news.after(version, signal)
  }
}
