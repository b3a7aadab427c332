/**
 * What could not be written when it had to be, and is written as soon as the disk takes it: the agent goes on in memory
 * meanwhile. A later write of the same thing takes the place of the one before.
 */
import { type Bell, createBell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'

/** In the order in which they must be on disk: an SVID without its key is worth nothing. */
const NAMES = ['key', 'svid'] as const
export type DebtName = (typeof NAMES)[number]

export interface DiskDebt {
  owe(name: DebtName, write: () => Promise<void>): void
  /** Runs until the signal aborts. */
  pay(signal: AbortSignal): Promise<void>
}

export interface DiskDebtDeps {
  readonly clock: Clock
  onPaid(): void
  onFailure(error: unknown): void
}

const RETRY_MS = 10_000

export function createDiskDebt({ clock, onPaid, onFailure }: DiskDebtDeps): DiskDebt {
  const owed = new Map<DebtName, () => Promise<void>>()
  const bell: Bell = createBell()
  const payAll = async () => {
    for (const name of NAMES) {
      const write = owed.get(name)
      if (write === undefined) continue
      await write()
      // What has been owed anew meanwhile is still owed.
      if (owed.get(name) === write) owed.delete(name)
    }
  }
  return {
    owe(name, write) {
      owed.set(name, write)
      bell.ring()
    },
    async pay(signal) {
      while (!signal.aborted) {
        bell.reset()
        if (owed.size === 0) {
          await clock.sleep(Number.MAX_SAFE_INTEGER, AbortSignal.any([signal, bell.signal()]))
          continue
        }
        await clock.sleep(RETRY_MS, signal)
        try {
          await payAll()
          if (owed.size === 0) onPaid()
        } catch (error) {
          onFailure(error)
        }
      }
    },
  }
}
