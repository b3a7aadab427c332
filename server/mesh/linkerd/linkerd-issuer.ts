/**
 * The CA of a Linkerd mesh: an intermediate below our own, whose key never leaves this process. Its certificates name DNS
 * identities. It is replaced at half of its life, and at once when another authority of ours signs; proxies hold our
 * roots as their trust anchors, so they take the old and the new.
 *
 * @see Mesh issuance §5.1
 */

import type { Clock } from '../../../spiffe/clock.ts'
import { fromUnixSeconds, unixSeconds } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { type SpiffeId, serverId, type TrustDomain } from '../../../spiffe/id.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import type { RandomBytes } from '../../../spiffe/random.ts'
import { type LeafSigner, leafSigner } from '../../../spiffe/x509/issue-leaf.ts'
import type { Authorities } from '../../ca/authorities.ts'
import { randomSerial } from '../../ca/serial.ts'
import { validityFrom } from '../../ca/validity.ts'
import type { X509Ca } from '../../ca/x509-ca.ts'
import type { Issuer } from '../../issue/issuer.ts'
import { type CurrentServerSvid, isDue } from '../../issue/server-svid.ts'

export interface LinkerdLeafRequest {
  /** SubjectPublicKeyInfo, DER. Whoever asks has proven to have the private key. */
  readonly spki: Uint8Array
  /** The identity. */
  readonly dnsName: string
  /** Beside it, where the configuration says so. */
  readonly id: SpiffeId | undefined
  readonly ttlSeconds: number
}

export interface IssuedLeaf {
  /** DER. */
  readonly leaf: Uint8Array
  /** DER, the leaf's issuer first; no root. */
  readonly intermediates: readonly Uint8Array[]
  readonly expiresAt: Date
}

export interface LinkerdIssuer {
  /** The intermediate with its chain. */
  current(): CurrentServerSvid
  renew(): Promise<void>
  /** @throws IdentityError UNAVAILABLE while the intermediate leads to no authority that may sign */
  issue(request: LinkerdLeafRequest): Promise<IssuedLeaf>
}

export interface LinkerdIssuerDeps {
  readonly trustDomain: TrustDomain
  readonly issuer: Pick<Issuer, 'issueDownstreamCa'>
  readonly x509: Pick<Authorities<X509Ca>, 'signer'>
  readonly clock: Clock
  readonly randomBytes: RandomBytes
}

interface Intermediate {
  readonly ca: CurrentServerSvid
  readonly signLeaf: LeafSigner
}

/** @param ttlSeconds of the intermediate @throws IdentityError UNAVAILABLE while there is no authority */
export async function openLinkerdIssuer(
  ttlSeconds: number,
  deps: LinkerdIssuerDeps,
): Promise<LinkerdIssuer> {
  const { x509, clock, randomBytes } = deps
  let current = await makeIntermediate(ttlSeconds, deps)
  let renewing: Promise<void> | undefined
  const renew = () => {
    renewing ??= makeIntermediate(ttlSeconds, deps)
      .then((made) => {
        current = made
      })
      .finally(() => {
        renewing = undefined
      })
    return renewing
  }
  return {
    current: () => current.ca,
    renew,
    async issue({ spki, dnsName, id, ttlSeconds: wanted }) {
      // Fails closed: below an authority that may not sign, or does not any more, nothing is signed either.
      const active = x509.signer()?.authority.id
      if (active === undefined) throw notReady('no authority of this server may sign')
      if (isDue(current.ca, active, clock.now())) await renew()
      const { ca, signLeaf } = current
      const { notBefore, expiresAt } = validityFrom(clock.now(), wanted, ca.expiresAt)
      if (expiresAt <= clock.now()) throw notReady('the intermediate has expired')
      const leaf = signLeaf({
        ...{ spki, id, dnsNames: [dnsName], notBefore, notAfter: expiresAt },
        serial: randomSerial(randomBytes),
      })
      return { leaf, intermediates: ca.chain, expiresAt }
    },
  }
}

async function makeIntermediate(
  ttlSeconds: number,
  { trustDomain, issuer, clock }: LinkerdIssuerDeps,
): Promise<Intermediate> {
  const key = await generateKey('ec-p256')
  const issuedAt = fromUnixSeconds(unixSeconds(clock.now()))
  const heldBy = serverId(trustDomain)
  const issued = await issuer.issueDownstreamCa({ spki: spkiOf(key), ttlSeconds, heldBy })
  const [certificate] = issued.chain
  if (certificate === undefined) throw new Error('the issuer gave an empty chain')
  return { ca: { ...issued, key, issuedAt }, signLeaf: leafSigner({ certificate, key }) }
}

function notReady(why: string): IdentityError {
  return new IdentityError('UNAVAILABLE', `cannot certify now: ${why}`)
}
