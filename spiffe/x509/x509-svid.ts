/**
 * An X509-SVID as its owner holds it: chain and private key. It is checked for being usable, not for being
 * trusted: that is for its peers.
 *
 * @see X509-SVID §2 and §4, Workload-API §5.1 — X509SVID
 */
import type { KeyObject } from 'node:crypto'
import { IdentityError } from '../error.ts'
import type { SpiffeId } from '../id.ts'
import { parsePkcs8, spkiOf } from '../key.ts'
import { parseCertificates } from './certificate.ts'
import { idOfLeaf } from './leaf-rules.ts'

export interface X509Svid {
  readonly id: SpiffeId
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[]
  readonly key: KeyObject
  readonly notBefore: Date
  readonly expiresAt: Date
}

/**
 * @param certificates DER of leaf and intermediates, one after another
 * @param key PKCS#8, DER
 * @throws IdentityError CERTIFICATE_MALFORMED, or CERTIFICATE_UNTRUSTED when the leaf is no X509-SVID
 */
export function parseX509Svid(certificates: Uint8Array, key: Uint8Array): X509Svid {
  const [leaf, ...intermediates] = parseCertificates(certificates)
  if (leaf === undefined) {
    throw new IdentityError('CERTIFICATE_MALFORMED', 'X509-SVID has no certificate')
  }
  const id = idOfLeaf(leaf)
  const privateKey = parsePkcs8(key)
  if (Buffer.compare(spkiOf(privateKey), leaf.spki) !== 0) {
    throw new IdentityError(
      'CERTIFICATE_MALFORMED',
      `the private key does not belong to the certificate of ${id}`,
    )
  }
  return {
    id,
    chain: [leaf, ...intermediates].map(({ der }) => der),
    key: privateKey,
    notBefore: leaf.notBefore,
    expiresAt: leaf.notAfter,
  }
}
