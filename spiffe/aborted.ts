/** Waiting for a signal, as one of several things that are raced. */
import { once } from 'node:events'

/** Resolves with nothing when the signal aborts; at once when it has already. */
export async function aborted(signal: AbortSignal): Promise<undefined> {
  if (!signal.aborted) await once(signal, 'abort')
}
