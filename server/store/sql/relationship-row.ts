/** A federation relationship as its table row, there and back. */
import type { SpiffeId, TrustDomain } from '../../../spiffe/id.ts'
import type { FederationRelationship } from '../../federation/relationship.ts'
import type { FederationRow } from './tables.ts'

/** Casts: the names are as they were when they were written. */
export function decodeRelationship(row: FederationRow): FederationRelationship {
  return {
    trustDomain: row.trust_domain as TrustDomain,
    endpointUrl: row.endpoint_url,
    profile:
      row.endpoint_spiffe_id === null
        ? { kind: 'https_web' }
        : { kind: 'https_spiffe', endpointId: row.endpoint_spiffe_id as SpiffeId },
  }
}
