/**
 * Who is at the other end of a connection to the Broker API: only a configured broker, told by its X509-SVID and the bundle of
 * the trust domain in it. Fails closed: whoever cannot be verified gets no connection, and one whose authority is no longer
 * trusted is told to connect again.
 *
 * @see Broker-Endpoint §5 — authentication and authorization
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { type SpiffeId, type TrustDomain, trustDomainOf } from '../../spiffe/id.ts'
import { verifyPeer } from '../../spiffe/x509/verify.ts'

export type Transport = 'unix' | 'tcp'

export interface BrokerPeer {
  readonly id: SpiffeId
  readonly transport: Transport
  /** @throws IdentityError CALLER_UNIDENTIFIED when its chain would not be believed any more */
  requireStill(): void
}

export interface JudgeBrokerDeps {
  readonly brokers: ReadonlySet<SpiffeId>
  readonly bundles: () => BrokerBundles
  readonly clock: Clock
}

export interface BrokerBundles {
  readonly bundle: Bundle
  readonly federated: ReadonlyMap<TrustDomain, Bundle>
}

/**
 * @param chain DER, leaf first, as the broker presented it
 * @throws IdentityError CERTIFICATE_UNTRUSTED, CERTIFICATE_MALFORMED, NOT_AUTHORIZED
 */
export function judgeBroker(
  chain: readonly Uint8Array[],
  transport: Transport,
  { brokers, bundles, clock }: JudgeBrokerDeps,
): BrokerPeer {
  const judgedAt = clock.now()
  // As of the handshake: a stream goes on when the broker's SVID has merely been renewed meanwhile.
  const verify = () => {
    const { bundle, federated } = bundles()
    const get = (one: TrustDomain) => (one === bundle.trustDomain ? bundle : federated.get(one))
    return verifyPeer({ chain, bundles: { get }, now: judgedAt, usage: 'clientAuth' })
  }
  const { id } = verify()
  if (!brokers.has(id)) {
    const why = `${id} is none of experimental.broker.brokers of the agent`
    throw new IdentityError('NOT_AUTHORIZED', why)
  }
  let believedBy = bundleFor(id, bundles())
  return {
    ...{ id, transport },
    requireStill() {
      const current = bundleFor(id, bundles())
      if (current === believedBy) return // the same bundle gives the same verdict
      try {
        verify()
      } catch (cause) {
        const why = `the broker is not trusted any more, connect again: ${reasonOf(cause)}`
        throw new IdentityError('CALLER_UNIDENTIFIED', why, { cause })
      }
      believedBy = current
    },
  }
}

function bundleFor(id: SpiffeId, { bundle, federated }: BrokerBundles): Bundle | undefined {
  const own = trustDomainOf(id)
  return own === bundle.trustDomain ? bundle : federated.get(own)
}
