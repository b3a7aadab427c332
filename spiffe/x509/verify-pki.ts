/**
 * Decides whether a certificate of an ordinary PKI, without a SPIFFE ID, may be believed: its path to one of the
 * authorities given, by the same rules as an SVID's. Any doubt refuses.
 *
 * @see RFC 5280 §6
 */
import type { X509Authority } from '../bundle.ts'
import { type Certificate, parseCertificate } from './certificate.ts'
import { untrusted } from './leaf-rules.ts'
import { findPath, type Path } from './path.ts'

export interface VerifyPkiOptions {
  /** DER, leaf first; the others in any order. */
  readonly chain: readonly Uint8Array[]
  readonly authorities: readonly X509Authority[]
  readonly now: Date
  /** Certificates beside the leaf; more are refused unread. */
  readonly maxIntermediates: number
}

export interface VerifiedPki {
  readonly leaf: Certificate
  /** From the leaf to the authority that vouches for it. */
  readonly path: Path
}

/** @throws IdentityError CERTIFICATE_UNTRUSTED, or CERTIFICATE_MALFORMED for a chain that cannot be read */
export function verifyPkiChain(options: VerifyPkiOptions): VerifiedPki {
  const { chain, authorities, now, maxIntermediates } = options
  const [first, ...others] = chain
  if (first === undefined) throw untrusted('no certificate was presented')
  if (others.length > maxIntermediates) {
    throw untrusted(
      `${others.length} intermediate certificates were presented, at most ${maxIntermediates} are allowed`,
    )
  }
  const leaf = parseCertificate(first)
  // A certificate that says nothing of its use must not be used to sign, as SPIRE has it.
  if (leaf.keyUsage?.has('digitalSignature') !== true) {
    throw untrusted('leaf certificate lacks the key usage digitalSignature')
  }
  const intermediates = others.map(parseCertificate)
  const path = findPath({ leaf, intermediates, authorities, now, purpose: undefined })
  if (typeof path === 'string') throw untrusted(path)
  return { leaf, path }
}
