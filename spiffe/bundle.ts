/**
 * A trust bundle: what one trust domain vouches with. Bundles of different trust domains are never merged.
 *
 * @see SPIFFE-Trust-Domain-and-Bundle §4
 */
import type { TrustDomain } from './id.ts'

/** A root (or upstream root) certificate. Tainted ones must be rotated away from. */
export interface X509Authority {
  readonly der: Uint8Array
  readonly tainted: boolean
}

/** A key that verifies JWT-SVIDs. */
export interface JwtAuthority {
  readonly keyId: string
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  readonly expiresAt: Date | undefined
  readonly tainted: boolean
}

export interface Bundle {
  readonly trustDomain: TrustDomain
  readonly x509Authorities: readonly X509Authority[]
  readonly jwtAuthorities: readonly JwtAuthority[]
  /** How often consumers should look for a newer one; 0 when none is given. */
  readonly refreshHintSeconds: number
  /** Grows with every change. */
  readonly sequenceNumber: number
}

export function emptyBundle(trustDomain: TrustDomain): Bundle {
  return {
    trustDomain,
    x509Authorities: [],
    jwtAuthorities: [],
    refreshHintSeconds: 0,
    sequenceNumber: 0,
  }
}
