/**
 * Decides whether an X509-SVID may be believed. Only the bundle of the trust domain in its own SPIFFE ID can
 * vouch for it; with several bundles at once, the CA of one trust domain could make IDs of another. Any doubt
 * refuses.
 *
 * @see X509-SVID §5 — validation
 */
import type { Bundle } from '../bundle.ts'
import { type SpiffeId, type TrustDomain, trustDomainOf } from '../id.ts'
import { type Certificate, parseCertificate } from './certificate.ts'
import { idOfLeaf, untrusted } from './leaf-rules.ts'
import { findPath, type Path, type Purpose } from './path.ts'

export interface VerifyX509Options {
  /** DER, leaf first, as the peer sent it. */
  readonly chain: readonly Uint8Array[]
  readonly bundle: Bundle
  readonly now: Date
  /** What the peer uses its certificate for; checked only where certificates limit it. */
  readonly usage?: Purpose
}

export interface VerifiedX509Svid {
  readonly id: SpiffeId
  readonly leaf: Certificate
  /** From the leaf to the authority that vouches for it. */
  readonly path: Path
}

/** Certificates taken from one peer. */
const MAX_CHAIN_LENGTH = 16

/** @throws IdentityError CERTIFICATE_UNTRUSTED, or CERTIFICATE_MALFORMED for a chain that cannot be read */
export function verifyX509Svid(options: VerifyX509Options): VerifiedX509Svid {
  return verifyParsed(parseChain(options.chain), options)
}

export interface VerifyPeerOptions extends Omit<VerifyX509Options, 'bundle'> {
  /** A map will do; it answers with the bundle of exactly that trust domain. */
  readonly bundles: { get(trustDomain: TrustDomain): Bundle | undefined }
}

/** Like `verifyX509Svid`, with the bundle of the trust domain that the peer's own ID names. */
export function verifyPeer({ bundles, ...options }: VerifyPeerOptions): VerifiedX509Svid {
  const certificates = parseChain(options.chain)
  const trustDomain = trustDomainOf(idOfLeaf(certificates[0]))
  const bundle = bundles.get(trustDomain)
  if (bundle === undefined) throw untrusted(`no bundle found for trust domain "${trustDomain}"`)
  return verifyParsed(certificates, { ...options, bundle })
}

type Chain = readonly [Certificate, ...Certificate[]]

function verifyParsed(
  [leaf, ...intermediates]: Chain,
  { bundle, now, usage }: Omit<VerifyX509Options, 'chain'>,
): VerifiedX509Svid {
  const id = idOfLeaf(leaf)
  if (trustDomainOf(id) !== bundle.trustDomain) {
    throw untrusted(`${id} cannot be vouched for by the bundle of "${bundle.trustDomain}"`)
  }
  const { x509Authorities: authorities } = bundle
  const path = findPath({ leaf, intermediates, authorities, now, purpose: usage })
  if (typeof path === 'string') throw untrusted(`could not verify ${id}: ${path}`)
  return { id, leaf, path }
}

function parseChain(chain: readonly Uint8Array[]): Chain {
  const [leaf, ...others] = chain
  if (leaf === undefined) throw untrusted('no certificate was presented')
  if (chain.length > MAX_CHAIN_LENGTH) {
    throw untrusted(`${chain.length} certificates were presented, at most ${MAX_CHAIN_LENGTH}`)
  }
  return [parseCertificate(leaf), ...others.map(parseCertificate)]
}
