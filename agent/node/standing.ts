/**
 * Where every call to the server leaves what the server said about the agent itself, and where `renew` picks it up.
 * An answer to a connection that has been replaced is not believed: it was about the SVID before this one.
 */
import { type Bell, createBell } from '../../spiffe/bell.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { isAboutTheAgent } from './refusal.ts'
import type { Lease } from './server-connection.ts'

export interface Standing {
  /** Rung by a refusal, and by anybody else who wants `renew` to look at the agent's SVID again. */
  readonly bell: Bell
  /** Errors of any kind may be given; those about the agent are kept. */
  report(error: unknown, lease: Lease): void
  /** The latest refusal, once. */
  take(): IdentityError | undefined
}

export function createStanding(): Standing {
  const bell = createBell()
  let latest: IdentityError | undefined
  return {
    bell,
    report(error, lease) {
      if (!(error instanceof IdentityError) || !isAboutTheAgent(error.code)) return
      if (lease.signal.aborted) return
      latest = error
      bell.ring()
    },
    take() {
      const refusal = latest
      latest = undefined
      return refusal
    },
  }
}
