/**
 * CA certificates for other servers of this trust domain, signed by whatever authority is active. They end no later
 * than it does, and name the trust domain and nothing else.
 *
 * @see SPIRE behaviour §8 — nesting
 */
import type { Clock } from '../../spiffe/clock.ts'
import type { SpiffeId, TrustDomain } from '../../spiffe/id.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import type { Authorities } from '../ca/authorities.ts'
import { randomSerial } from '../ca/serial.ts'
import { validityFrom } from '../ca/validity.ts'
import { chainAbove, type X509Ca } from '../ca/x509-ca.ts'
import { noAuthority } from './no-authority.ts'

export interface DownstreamCaRequest {
  /** SubjectPublicKeyInfo, DER. Whoever asks has proven to have the private key. */
  readonly spki: Uint8Array
  /** 0 for as long as this server's own CA lives. */
  readonly ttlSeconds: number
  /** The server that asks. */
  readonly heldBy: SpiffeId
}

export interface IssuedX509Ca {
  /** DER, the new CA first. The root is not part of it: that is in the bundle. */
  readonly chain: readonly Uint8Array[]
  readonly expiresAt: Date
  /** The authority that signed it. */
  readonly authorityId: string
}

export interface DownstreamCaDeps {
  readonly authorities: Pick<Authorities<X509Ca>, 'signer'>
  readonly trustDomain: TrustDomain
  readonly clock: Clock
  readonly randomBytes: RandomBytes
}

/** @throws IdentityError UNAVAILABLE while there is no authority */
export async function signDownstreamCa(
  { authorities, trustDomain, clock, randomBytes }: DownstreamCaDeps,
  { spki, ttlSeconds }: Omit<DownstreamCaRequest, 'heldBy'>,
): Promise<IssuedX509Ca> {
  // Most servers have none below them, and start sooner without it. Before the signer is chosen, which may be revoked meanwhile.
  const { createDownstreamCa } = await import('../../spiffe/x509/ca-certificate.ts')
  const signer = authorities.signer()
  if (signer === undefined) throw noAuthority('X.509')
  const { id: authorityId, certificate, expiresAt: latest } = signer.authority
  const above = chainAbove(signer.authority)
  const { notBefore, expiresAt } = validityFrom(clock.now(), ttlSeconds, latest)
  const issued = await createDownstreamCa({
    spki,
    issuer: { certificate, key: signer.key },
    trustDomain,
    depth: above.length + 1,
    notBefore,
    notAfter: expiresAt,
    serial: randomSerial(randomBytes),
  })
  return { chain: [new Uint8Array(issued), ...above], expiresAt, authorityId }
}
