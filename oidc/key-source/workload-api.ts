/** Keys from the Workload API: those of one trust domain, as any workload may read them. They come as they change. */
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import { openJwtSource } from '../../workload/jwt-source.ts'
import type { KeySource } from './key-source.ts'

export function workloadApiSource(
  socketPath: string,
  trustDomain: TrustDomain,
  clock: Clock,
): KeySource {
  return {
    async follow(on, signal) {
      try {
        const socket = `unix://${socketPath}`
        await using source = await openJwtSource({ socket, signal, clock, onFailure: on.failure })
        for await (const bundles of source.updates(signal)) {
          const bundle = bundles.get(trustDomain)
          if (bundle !== undefined) on.bundle(bundle)
          else on.failure(new IdentityError('NOT_FOUND', `there are no keys of ${trustDomain}`))
        }
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
  }
}
