/** Keeps one place of publication as new as the bundle. A failure is told and tried again; what is there stays. */
import { createBell } from '../../spiffe/bell.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Random } from '../../spiffe/random.ts'
import { publishedText } from './published-text.ts'
import type { Publisher } from './publisher.ts'

export interface PublishDeps {
  readonly publisher: Publisher
  readonly bundle: {
    current(): Bundle
    onChange(listener: () => void): () => void
  }
  readonly clock: Clock
  readonly random: Random
  readonly onPublished: (bundle: Bundle) => void
  readonly onFailure: (error: unknown, retryMs: number) => void
  /** There is no such place, and nobody can do anything about it from here: it is looked for again much later. */
  readonly onNoSuchPlace: (error: IdentityError) => void
}

const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 5 * 60_000
/** Of a pause, what is left to chance: many servers shall not come back at the same moment. */
const SPREAD = 0.2
/** It is put there again though nothing changed: somebody may have removed it. */
const REPEAT_MS = 60 * 60_000

/** Runs until the signal aborts. */
export async function publishBundle(deps: PublishDeps, signal: AbortSignal): Promise<void> {
  const { publisher, bundle, clock, random } = deps
  const changed = createBell()
  const stopListening = bundle.onChange(changed.ring)
  signal.addEventListener('abort', changed.ring)
  let failures = 0
  while (!signal.aborted) {
    changed.reset()
    const current = bundle.current()
    let pauseMs = REPEAT_MS
    try {
      const text = publishedText(current, publisher.format, publisher.refreshHintSeconds)
      await publisher.publish(text, signal)
      failures = 0
      deps.onPublished(current)
    } catch (error) {
      if (signal.aborted) break
      if (error instanceof IdentityError && error.code === 'NOT_IMPLEMENTED') {
        failures = 0
        deps.onNoSuchPlace(error)
      } else {
        pauseMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** failures) * (1 - SPREAD * random())
        failures = Math.min(failures + 1, 30)
        deps.onFailure(error, pauseMs)
      }
    }
    // A change cuts short the pause after a success; after a failure the next attempt has the newest anyway.
    await clock.sleep(pauseMs, failures === 0 ? changed.signal() : signal)
  }
  stopListening()
  signal.removeEventListener('abort', changed.ring)
}
