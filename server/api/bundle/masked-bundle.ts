/** Bundles as answers carry them, cut down to what the caller wants. */
import type { BundleInput } from '../../../proto/gen/spire/api/types/Bundle.ts'
import type { BundleMask } from '../../../proto/gen/spire/api/types/BundleMask.ts'
import { toWireBundle } from '../../../proto/wire.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'

/** @param mask the fields to fill in; null for all. The trust domain is always there. */
export function toMaskedBundle(bundle: Bundle, mask: BundleMask | null): BundleInput {
  const wire = toWireBundle(bundle)
  if (mask === null) return wire
  const { trust_domain = '', x509_authorities, jwt_authorities } = wire
  const { refresh_hint = 0, sequence_number = 0 } = wire
  return {
    trust_domain,
    ...(mask.x509_authorities && x509_authorities ? { x509_authorities } : {}),
    ...(mask.jwt_authorities && jwt_authorities ? { jwt_authorities } : {}),
    ...(mask.refresh_hint ? { refresh_hint } : {}),
    ...(mask.sequence_number ? { sequence_number } : {}),
  }
}
