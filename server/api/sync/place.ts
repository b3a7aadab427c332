/**
 * How far in the log of changes the entry index is, and who waits until it is further. An agent that comes from
 * another server waits here until this one knows what that one told it; the wait is bounded, and then refused rather
 * than answered with less: an agent that believed it would throw away identities that are valid.
 *
 * @see proto/steeple/server/sync/v1/sync.proto — known_sequence
 */
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'

export interface Place {
  current(): number
  /** Called in the turn in which the index takes those changes in. */
  advance(sequence: number): void
  /** Called whenever the log was looked at, and the index holds all of it. */
  looked(): void
  /** When that was, milliseconds since 1970. Undefined where no other server could know more. */
  lookedMs(): number | undefined
  /**
   * Resolves when the index has reached `sequence`, at once when the log itself does not go so far: then it was
   * begun anew, from a backup perhaps, and there is nothing to wait for. Also resolves when the signal aborts.
   * @throws IdentityError UNAVAILABLE when it takes longer than the bound
   */
  reach(sequence: number, signal: AbortSignal): Promise<void>
}

export interface PlaceDeps {
  /** The last sequence of the log. */
  latest(): Promise<number>
  /** Whether other servers serve the same store. */
  readonly isShared: boolean
  readonly clock: Clock
}

/** Servers follow each other within 100 ms; one that takes this long has lost its database, or has too much to do. */
const MAX_WAIT_MS = 5_000

export function createPlace({ latest, isShared, clock }: PlaceDeps): Place {
  let current = 0
  let lookedMs = clock.now().getTime()
  const waiting = new Set<{ readonly sequence: number; readonly wake: () => void }>()
  return {
    current: () => current,
    looked() {
      lookedMs = clock.now().getTime()
    },
    lookedMs: () => (isShared ? lookedMs : undefined),
    advance(sequence) {
      current = sequence
      for (const one of waiting) if (one.sequence <= current) one.wake()
    },
    async reach(sequence, signal) {
      if (sequence <= current || sequence > (await latest())) return
      const there = new AbortController()
      const one = { sequence, wake: () => there.abort() }
      waiting.add(one)
      try {
        if (sequence > current) {
          await clock.sleep(MAX_WAIT_MS, AbortSignal.any([signal, there.signal]))
        }
      } finally {
        waiting.delete(one)
      }
      if (signal.aborted || sequence <= current) return
      throw new IdentityError('UNAVAILABLE', behind(sequence, current))
    },
  }
}

function behind(wanted: number, current: number): string {
  return `this server is behind: it has read the changes up to ${current}, and the agent knows those up to ${wanted}; connect to another server, or again in a moment`
}
