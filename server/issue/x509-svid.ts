/** X509-SVIDs signed by whatever authority is active. What an authority's SVIDs have in common is encoded once. */
import type { Clock } from '../../spiffe/clock.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import { type LeafSigner, leafSigner } from '../../spiffe/x509/issue-leaf.ts'
import { isEmptyName } from '../../spiffe/x509/name.ts'
import type { Authorities, Signer } from '../ca/authorities.ts'
import { serialSource } from '../ca/serial.ts'
import { validityFrom } from '../ca/validity.ts'
import { chainAbove, type X509Ca } from '../ca/x509-ca.ts'
import { noAuthority } from './no-authority.ts'

export interface IssuedX509Svid {
  /** DER, leaf first. The root is not part of it: that is in the bundle. */
  readonly chain: readonly Uint8Array[]
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** The authority that signed it. */
  readonly authorityId: string
}

export interface X509SvidFields {
  readonly spki: Uint8Array
  readonly id: SpiffeId
  readonly dnsNames?: readonly string[]
  readonly ttlSeconds: number
  readonly subject?: Uint8Array | undefined
}

export interface X509SvidDeps {
  readonly authorities: Pick<Authorities<X509Ca>, 'signer'>
  readonly clock: Clock
  readonly randomBytes: RandomBytes
}

export function x509SvidSigner({
  authorities,
  clock,
  randomBytes,
}: X509SvidDeps): (fields: X509SvidFields) => IssuedX509Svid {
  const nextSerial = serialSource(randomBytes)
  let encoded: { readonly authority: X509Ca; readonly signLeaf: LeafSigner } | undefined
  const signLeafFor = ({ authority, key }: Signer<X509Ca>) => {
    if (encoded?.authority !== authority) {
      const { certificate } = authority
      encoded = { authority, signLeaf: leafSigner({ certificate, key }) }
    }
    return encoded.signLeaf
  }
  return ({ spki, id, dnsNames = [], ttlSeconds, subject }) => {
    const signer = authorities.signer()
    if (signer === undefined) throw noAuthority('X.509')
    const { id: authorityId, expiresAt: latest } = signer.authority
    const { issuedAt, notBefore, expiresAt } = validityFrom(clock.now(), ttlSeconds, latest)
    const leaf = signLeafFor(signer)({
      spki,
      id,
      dnsNames,
      ...(subject === undefined || isEmptyName(subject) ? {} : { subject }),
      notBefore,
      notAfter: expiresAt,
      serial: nextSerial(),
    })
    return { chain: [leaf, ...chainAbove(signer.authority)], issuedAt, expiresAt, authorityId }
  }
}
