/**
 * Bundles of other trust domains as operators bring them. The server's own is refused here, so that no call meant for
 * strangers can change whom the server itself trusts.
 */
import type { Bundle as WireBundle } from '../../../proto/gen/spire/api/types/Bundle.ts'
import type { BundleMask } from '../../../proto/gen/spire/api/types/BundleMask.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import { parseTrustDomainName } from '../../entries/member-id.ts'
import { invalid, within } from '../refusal.ts'
import { fromWireCertificates, fromWireKey } from './wire-authorities.ts'

/**
 * @param ownRefused what to say when it is the server's own
 * @throws IdentityError TRUST_DOMAIN_INVALID, REQUEST_INVALID for the server's own
 */
export function parseForeignDomain(
  name: string,
  ownDomain: TrustDomain,
  ownRefused: string,
): TrustDomain {
  const trustDomain = within('trust domain argument is not valid', () => parseTrustDomainName(name))
  if (trustDomain === ownDomain) throw invalid(ownRefused)
  return trustDomain
}

/** @throws IdentityError saying which kind of authority is none */
export function fromWireFederated(wire: WireBundle, trustDomain: TrustDomain): Bundle {
  return {
    trustDomain,
    x509Authorities: within('unable to parse X.509 authority', () =>
      fromWireCertificates(wire.x509_authorities),
    ),
    jwtAuthorities: within('unable to parse JWT authority', () =>
      wire.jwt_authorities.map(fromWireKey),
    ),
    refreshHintSeconds: wire.refresh_hint,
    sequenceNumber: wire.sequence_number,
  }
}

/** @param mask the fields to take over from `given`; null for all */
export function updatedBundle(current: Bundle, given: Bundle, mask: BundleMask | null): Bundle {
  if (mask === null) return given
  return {
    ...current,
    ...(mask.x509_authorities ? { x509Authorities: given.x509Authorities } : {}),
    ...(mask.jwt_authorities ? { jwtAuthorities: given.jwtAuthorities } : {}),
    ...(mask.refresh_hint ? { refreshHintSeconds: given.refreshHintSeconds } : {}),
    ...(mask.sequence_number ? { sequenceNumber: given.sequenceNumber } : {}),
  }
}
