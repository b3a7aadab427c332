/**
 * `grpc.health.v1.Health` on the workload socket; it needs no security header. Serving means that the agent can hand
 * out its trust domain's bundle, so that whoever has an entry can be answered.
 *
 * @see SPIRE API §10
 */
import type { HealthHandlers } from '../../proto/gen/grpc/health/v1/Health.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { Implementation } from '../../proto/serve.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { IdentitySource } from '../cache/identity.ts'

export function healthService(source: IdentitySource): Implementation<UnixCaller, HealthHandlers> {
  return {
    async Check({ service }) {
      if (service !== '') {
        throw new IdentityError('REQUEST_INVALID', 'per-service health is not supported')
      }
      const canServe = source.bundles().own.x509Authorities.length > 0
      return { status: canServe ? 'SERVING' : 'NOT_SERVING' }
    },
    async List() {
      throw new IdentityError('NOT_IMPLEMENTED', 'method List not implemented')
    },
    async Watch() {
      throw new IdentityError('NOT_IMPLEMENTED', 'method Watch not implemented')
    },
  }
}
