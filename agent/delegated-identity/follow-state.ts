/**
 * A stream of states for a delegate: now, and whenever the answer has become another one. Before each look it is asked whether the
 * delegate may still have it, so that a lost authorization ends the stream at once, not with the next change of what it carries.
 */
import type { News } from '../cache/news.ts'

export interface StateStream<T> {
  readonly news: News
  /** Throws what ends the stream. */
  readonly requireAllowed: () => void
  /** Undefined: there is nothing to send yet. */
  readonly look: () => T | undefined
  readonly isSame: (a: T, b: T) => boolean
  readonly send: (state: T) => Promise<void>
}

/** Resolves when the signal aborts; a reader that is slow sees the newest state only. */
export async function followState<T>(stream: StateStream<T>, signal: AbortSignal): Promise<void> {
  const { news, requireAllowed, look, isSame, send } = stream
  let last: T | undefined
  while (!signal.aborted) {
    const version = news.version()
    requireAllowed()
    const next = look()
    if (next !== undefined && (last === undefined || !isSame(last, next))) {
      last = next
      await send(next)
    }
    await news.after(version, signal)
  }
}
