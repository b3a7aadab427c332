/**
 * The bundle of our own trust domain, as the server sends it. Fails closed: one of another trust domain is refused,
 * and so is one without authorities, by which the server itself could never be trusted again.
 */
import type { Bundle as WireBundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import { fromWireBundle } from '../../proto/wire.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import { type CallLimits, callUnary } from './call.ts'
import type { Lease } from './server-connection.ts'

/** @throws IdentityError BUNDLE_MALFORMED */
export function readOwnBundle(wire: WireBundle, trustDomain: TrustDomain): Bundle {
  const bundle = fromWireBundle(wire)
  if (bundle.trustDomain !== trustDomain) {
    const why = `the server sent the bundle of ${bundle.trustDomain}, expected ${trustDomain}`
    throw new IdentityError('BUNDLE_MALFORMED', why)
  }
  if (bundle.x509Authorities.length === 0) {
    throw new IdentityError(
      'BUNDLE_MALFORMED',
      'the server sent a bundle without X.509 authorities',
    )
  }
  return bundle
}

export async function fetchOwnBundle(
  { bundle: client }: Lease,
  trustDomain: TrustDomain,
  limits: CallLimits,
): Promise<Bundle> {
  const wire = await callUnary<WireBundle>((done) => client.GetBundle({}, done), limits)
  return readOwnBundle(wire, trustDomain)
}
