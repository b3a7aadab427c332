/** The certificates that the peer of a TLS connection presented. They are read here, and judged elsewhere. */
import type { DetailedPeerCertificate } from 'node:tls'

/** More than any chain needs, leaf and intermediates; the rest is not read. */
const MAX_CHAIN = 10

/**
 * The chain as Node links it: each certificate followed by its issuer, if that was sent too.
 * @param leaf what `getPeerCertificate(true)` gives
 * @returns DER, leaf first; empty when none was presented
 */
export function peerChain(leaf: DetailedPeerCertificate | undefined): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  let next = leaf
  // Without a certificate Node gives an empty object; a self-signed one is its own issuer.
  while (next?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(next.raw)
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate
  }
  return chain
}
