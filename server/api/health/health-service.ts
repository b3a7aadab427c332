/** `grpc.health.v1.Health`, on the admin socket only: serving means that the own bundle can be read. */

import type { Log } from '../../../log/open-log.ts'
import type { HealthHandlers } from '../../../proto/gen/grpc/health/v1/Health.ts'
import type { Implementation } from '../../../proto/serve.ts'
import { reasonOf } from '../../../spiffe/error.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import type { Caller } from '../../listen/caller.ts'
import type { BundleStore } from '../../store/store.ts'
import { invalid } from '../refusal.ts'

export interface HealthServiceDeps {
  readonly trustDomain: TrustDomain
  readonly bundles: Pick<BundleStore, 'find'>
  readonly log: Log
}

export function healthService(deps: HealthServiceDeps): Implementation<Caller, HealthHandlers> {
  return {
    async Check({ service }) {
      if (service !== '') throw invalid('per-service health is not supported')
      const reason = await whyUnhealthy(deps)
      if (reason !== undefined) deps.log.warn({ reason }, 'Health check failed')
      return { status: reason === undefined ? 'SERVING' : 'NOT_SERVING' }
    },
  }
}

async function whyUnhealthy({
  trustDomain,
  bundles,
}: HealthServiceDeps): Promise<string | undefined> {
  try {
    return (await bundles.find(trustDomain)) === undefined ? 'bundle is missing' : undefined
  } catch (error) {
    return `unable to fetch bundle: ${reasonOf(error)}`
  }
}
