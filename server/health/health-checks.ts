/** Which parts of the server `/live` and `/ready` ask, under SPIRE's names. */
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { HealthCheck } from '../../telemetry/serve-health.ts'
import type { Rotating } from '../ca/rotate.ts'
import { nextStep } from '../ca/rotation.ts'
import type { Authority } from '../ca/slots.ts'
import type { BundleStore, Store } from '../store/store.ts'
import type { Turns } from '../store/turns.ts'

export interface HealthChecksDeps {
  readonly trustDomain: TrustDomain
  readonly store: Pick<Store, 'checkHealth'> & {
    readonly bundles: Pick<BundleStore, 'find'>
    readonly turns: Pick<Turns, 'isShared'>
  }
  /** Those of each kind that the server has. */
  readonly authorities: readonly Pick<Rotating<Authority>, 'slots'>[]
  readonly clock: Clock
}

export function healthChecks(deps: HealthChecksDeps): readonly HealthCheck[] {
  const { trustDomain, store, authorities, clock } = deps
  // A database that several servers share is not healed by starting them anew, and they would be late when it is back.
  const isOnlyReadiness = store.turns.isShared
  return [
    { name: 'catalog.datastore', isOnlyReadiness, check: () => store.checkHealth() },
    {
      name: 'server',
      isOnlyReadiness,
      async check() {
        if ((await store.bundles.find(trustDomain)) === undefined) {
          throw new IdentityError('UNAVAILABLE', 'bundle is missing')
        }
      },
    },
    {
      name: 'server.ca',
      async check() {
        if (authorities.some((one) => !canSign(one.slots().active, clock.now()))) {
          throw new IdentityError(
            'UNAVAILABLE',
            'an authority that signs is missing or has expired',
          )
        }
      },
    },
    {
      name: 'server.ca.rotator',
      // What is active goes on signing, and the next attempt comes by itself.
      isOnlyReadiness: true,
      async check() {
        if (authorities.some((one) => isOverdue(one, clock.now()))) {
          throw new IdentityError('UNAVAILABLE', 'the rotation of an authority is overdue')
        }
      },
    },
  ]
}

/** The rotation looks every ten seconds; making a key and writing the journal may take a while. */
const GRACE_MS = 60_000

function isOverdue({ slots }: Pick<Rotating<Authority>, 'slots'>, now: Date): boolean {
  return nextStep(slots(), new Date(now.getTime() - GRACE_MS)).kind !== 'wait'
}

function canSign(active: Authority | undefined, now: Date): boolean {
  return active !== undefined && now < active.expiresAt
}
