/** The X.509 half of a bundle as a PEM file, as `bundle show` prints it and `trust_bundle_path` reads it. */
import { type Bundle, emptyBundle } from '../bundle.ts'
import { IdentityError, reasonOf } from '../error.ts'
import type { TrustDomain } from '../id.ts'
import { parseCertificate } from '../x509/certificate.ts'
import { fromPem, toPemChain } from '../x509/pem.ts'

/** @throws IdentityError BUNDLE_MALFORMED, also when there is no certificate: that would trust nothing */
export function parseBundlePem(text: string, trustDomain: TrustDomain): Bundle {
  try {
    const certificates = fromPem('CERTIFICATE', text)
    for (const der of certificates) parseCertificate(der)
    return {
      ...emptyBundle(trustDomain),
      x509Authorities: certificates.map((der) => ({ der, tainted: false })),
    }
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    throw new IdentityError('BUNDLE_MALFORMED', `malformed PEM bundle: ${reasonOf(cause)}`, {
      cause,
    })
  }
}

export function formatBundlePem(bundle: Bundle): string {
  return toPemChain(bundle.x509Authorities.map(({ der }) => der))
}
