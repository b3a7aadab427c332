/** What `/live` and `/ready` ask of the agent: whether whoever has an entry could be answered. */
import { IdentityError } from '../../spiffe/error.ts'
import type { HealthCheck } from '../../telemetry/serve-health.ts'
import type { IdentitySource } from '../cache/identity.ts'

export function healthChecks(source: Pick<IdentitySource, 'bundles'>): readonly HealthCheck[] {
  return [
    {
      name: 'agent',
      async check() {
        if (source.bundles().own.x509Authorities.length === 0) {
          throw new IdentityError('UNAVAILABLE', 'the agent has no bundle to hand out')
        }
      },
    },
  ]
}
