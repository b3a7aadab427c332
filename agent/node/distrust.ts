/**
 * Notices that the running agent's server is no longer vouched for, and since when; it is remembered on disk, so that a
 * restart does not begin to count again. One success clears it.
 */
import type { Clock } from '../../spiffe/clock.ts'
import { isUnknownServer } from './server-credentials.ts'
import type { TrustBegins } from './state.ts'

export interface Distrust {
  /** Undefined while the server is known, or has not been asked. */
  current(): TrustBegins | undefined
  /** Any error of a call to the server may be given. */
  failed(error: unknown): void
  succeeded(): void
}

export interface DistrustDeps {
  /** What an earlier run left. */
  readonly begins: TrustBegins | undefined
  /** Keeps it; called when it changes. */
  note(begins: TrustBegins | undefined): void
  readonly clock: Clock
}

export function createDistrust({ begins, note, clock }: DistrustDeps): Distrust {
  let current = begins
  const set = (next: TrustBegins | undefined) => {
    current = next
    note(next)
  }
  return {
    current: () => current,
    failed(error) {
      if (current !== undefined || !isUnknownServer(error)) return
      set({ mode: 'rebootstrap', since: clock.now(), attempts: 0 })
    },
    succeeded() {
      if (current !== undefined) set(undefined)
    },
  }
}
