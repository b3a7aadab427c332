/** Conversions between our vocabulary and spire.api.types. Everything from outside is parsed here, once. */
import { type Bundle, emptyBundle } from '../spiffe/bundle.ts'
import { fromUnixSeconds, unixSeconds } from '../spiffe/clock.ts'
import { IdentityError } from '../spiffe/error.ts'
import {
  parseSpiffeId,
  parseTrustDomain,
  pathOf,
  type SpiffeId,
  trustDomainOf,
} from '../spiffe/id.ts'
import { type Selector, selector, selectorType, selectorValue } from '../spiffe/selector.ts'
import type { BundleInput, Bundle as WireBundle } from './gen/spire/api/types/Bundle.ts'
import type { SelectorInput } from './gen/spire/api/types/Selector.ts'
import type { SPIFFEIDInput } from './gen/spire/api/types/SPIFFEID.ts'

export function toWireId(id: SpiffeId): { trust_domain: string; path: string } {
  return { trust_domain: trustDomainOf(id), path: pathOf(id) }
}

/** @throws IdentityError REQUEST_INVALID when absent, SPIFFE_ID_INVALID when not an ID */
export function fromWireId(id: SPIFFEIDInput | null | undefined): SpiffeId {
  if (id === null || id === undefined) {
    throw new IdentityError('REQUEST_INVALID', 'request must specify SPIFFE ID')
  }
  if (!id.trust_domain) throw new IdentityError('SPIFFE_ID_INVALID', 'trust domain is missing')
  const path = id.path ?? ''
  return parseSpiffeId(
    `spiffe://${id.trust_domain}${path === '' || path.startsWith('/') ? '' : '/'}${path}`,
  )
}

export function toWireSelector(one: Selector): { type: string; value: string } {
  return { type: selectorType(one), value: selectorValue(one) }
}

export function fromWireSelector(one: SelectorInput): Selector {
  return selector(one.type ?? '', one.value ?? '')
}

export function toWireBundle(bundle: Bundle): BundleInput {
  return {
    trust_domain: bundle.trustDomain,
    x509_authorities: bundle.x509Authorities.map(({ der, tainted }) => ({ asn1: der, tainted })),
    jwt_authorities: bundle.jwtAuthorities.map((authority) => ({
      public_key: authority.publicKey,
      key_id: authority.keyId,
      expires_at: authority.expiresAt === undefined ? 0 : unixSeconds(authority.expiresAt),
      tainted: authority.tainted,
    })),
    refresh_hint: bundle.refreshHintSeconds,
    sequence_number: bundle.sequenceNumber,
  }
}

export function fromWireBundle(wire: WireBundle): Bundle {
  return {
    ...emptyBundle(parseTrustDomain(wire.trust_domain)),
    x509Authorities: wire.x509_authorities.map(({ asn1, tainted }) => ({ der: asn1, tainted })),
    jwtAuthorities: wire.jwt_authorities.map((key) => ({
      keyId: key.key_id,
      publicKey: key.public_key,
      expiresAt: key.expires_at === 0 ? undefined : fromUnixSeconds(key.expires_at),
      tainted: key.tainted,
    })),
    refreshHintSeconds: wire.refresh_hint,
    sequenceNumber: wire.sequence_number,
  }
}
