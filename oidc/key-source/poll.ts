/** A key source that asks again and again. */
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { KeySource } from './key-source.ts'

export function pollingSource(
  read: () => Promise<Bundle>,
  { pollMs, clock }: { readonly pollMs: number; readonly clock: Clock },
): KeySource {
  return {
    async follow(on, signal) {
      while (!signal.aborted) {
        try {
          on.bundle(await read())
        } catch (error) {
          if (!signal.aborted) on.failure(error)
        }
        await clock.sleep(pollMs, signal)
      }
    },
  }
}
