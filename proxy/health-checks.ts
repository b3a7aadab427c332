/** What `/live` and `/ready` of the proxy ask: only an identity that is valid lets it serve anybody, and each worker has to answer. */
import type { Clock } from '../spiffe/clock.ts'
import { IdentityError } from '../spiffe/error.ts'
import type { HealthCheck } from '../telemetry/serve-health.ts'
import { usableIdentity } from '../workload/tls/tls-identity.ts'
import type { ProxyIdentity } from './identity/identity.ts'
import type { ServingPlane } from './serving-plane.ts'

/** @param workloads all must have one */
export function healthChecks(
  workloads: readonly { readonly context: { readonly identity: ProxyIdentity } }[],
  clock: Clock,
): readonly HealthCheck[] {
  return [
    {
      name: 'identity',
      isOnlyReadiness: true,
      async check() {
        for (const { context } of workloads) usableIdentity(context.identity, clock)
      },
    },
  ]
}

/** Of the workers, if there are any: each must listen and answer. */
export function workerChecks({
  look,
  workers,
}: Pick<ServingPlane, 'look' | 'workers'>): readonly HealthCheck[] {
  if (workers().length === 0) return []
  return [
    {
      name: 'workers',
      async check() {
        await look()
        const away = workers().filter(({ isServing }) => !isServing)
        if (away.length === 0) return
        const which = away.map(({ worker }) => worker).join(', ')
        throw new IdentityError('UNAVAILABLE', `of the workers these do not serve: ${which}`)
      },
    },
  ]
}
