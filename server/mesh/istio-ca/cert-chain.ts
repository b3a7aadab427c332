/**
 * A chain as the clients of Istio's CA take it apart: one certificate in each string, the leaf first, and in the last
 * string all roots together, which becomes their trust. So everybody trusts the next root before it signs, and the last
 * one until nothing that it signed is valid.
 *
 * @see Mesh issuance §2.2 — response rules
 */
import type { Bundle } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'

/**
 * @param chain DER, leaf first, without the root
 * @param bundle our own: the roots of others are none of this mesh's
 * @throws IdentityError UNAVAILABLE rather than a chain without roots, which clients would take for one without trust
 */
export function certChain(
  chain: readonly Uint8Array[],
  { x509Authorities }: Pick<Bundle, 'x509Authorities'>,
): readonly string[] {
  const roots = toPemChain(x509Authorities.map(({ der }) => der))
  if (chain.length === 0 || roots === '') {
    throw new IdentityError('UNAVAILABLE', 'there is no authority to vouch for a certificate')
  }
  return [...chain.map((der) => toPem('CERTIFICATE', der)), roots]
}
