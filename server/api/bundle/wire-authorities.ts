/** Authorities as callers give them, read from the wire. SPIRE takes empty certificates; we do not. */
import type { JWTKey } from '../../../proto/gen/spire/api/types/JWTKey.ts'
import type { X509Certificate } from '../../../proto/gen/spire/api/types/X509Certificate.ts'
import type { JwtAuthority, X509Authority } from '../../../spiffe/bundle.ts'
import { fromUnixSeconds } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseSpki } from '../../../spiffe/key.ts'
import { parseCertificates } from '../../../spiffe/x509/certificate.ts'

/** None of them is tainted: that is decided here, not by who brings them. @throws IdentityError */
export function fromWireCertificates(certificates: readonly X509Certificate[]): X509Authority[] {
  return certificates.flatMap(({ asn1 }) => {
    const found = parseCertificates(asn1)
    if (found.length === 0) throw malformed('no certificate given')
    return found.map(({ der }) => ({ der, tainted: false }))
  })
}

/** @throws IdentityError */
export function fromWireKey({ public_key, key_id, expires_at }: JWTKey): JwtAuthority {
  parseSpki(public_key)
  if (key_id === '') throw malformed('missing key ID')
  return {
    keyId: key_id,
    publicKey: public_key,
    expiresAt: expires_at === 0 ? undefined : fromUnixSeconds(expires_at),
    tainted: false,
  }
}

function malformed(why: string): IdentityError {
  return new IdentityError('BUNDLE_MALFORMED', why)
}
