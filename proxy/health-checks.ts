/** What `/live` and `/ready` of the proxy ask: only an identity that is valid lets it serve anybody. */
import type { Clock } from '../spiffe/clock.ts'
import type { HealthCheck } from '../telemetry/serve-health.ts'
import { usableIdentity } from '../workload/tls/tls-identity.ts'
import type { ProxyIdentity } from './identity/identity.ts'

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
