/** Federation relationships as requests and answers carry them. Whatever the mask: a request is checked whole, as SPIRE's. */
import type {
  FederationRelationshipInput,
  FederationRelationship as WireRelationship,
} from '../../../proto/gen/spire/api/types/FederationRelationship.ts'
import type { FederationRelationshipMask as WireMask } from '../../../proto/gen/spire/api/types/FederationRelationshipMask.ts'
import { toWireBundle } from '../../../proto/wire.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { parseSpiffeId, type SpiffeId, type TrustDomain } from '../../../spiffe/id.ts'
import { parseTrustDomainName } from '../../entries/member-id.ts'
import { checkEndpointUrl } from '../../federation/endpoint-url.ts'
import type { EndpointProfile, FederationRelationship } from '../../federation/relationship.ts'
import { fromWireFederated } from '../bundle/wire-federated-bundle.ts'
import { invalid, within } from '../refusal.ts'

export interface GivenRelationship {
  readonly relationship: FederationRelationship
  /** To begin with, until one has been fetched. */
  readonly bundle: Bundle | undefined
}

/** @throws IdentityError with SPIRE's context and text */
export function fromWireRelationship(wire: WireRelationship): GivenRelationship {
  return within('failed to convert federation relationship', () => {
    const trustDomain = parseDomain(wire.trust_domain)
    const endpointUrl = checkEndpointUrl(wire.bundle_endpoint_url)
    const profile = fromWireProfile(wire)
    const bundle = fromWireSeed(wire, trustDomain)
    return { relationship: { trustDomain, endpointUrl, profile }, bundle }
  })
}

/** @throws IdentityError TRUST_DOMAIN_INVALID */
export function parseDomain(name: string): TrustDomain {
  return within('failed to parse trust domain', () => parseTrustDomainName(name))
}

function fromWireProfile({ https_web, https_spiffe }: WireRelationship): EndpointProfile {
  if (https_web) return { kind: 'https_web' }
  if (!https_spiffe) throw invalid('unsupported bundle endpoint profile type: <nil>')
  return { kind: 'https_spiffe', endpointId: parseEndpointId(https_spiffe.endpoint_spiffe_id) }
}

function parseEndpointId(text: string): SpiffeId {
  if (text === '') throw invalid('failed to parse endpoint SPIFFE ID: cannot be empty')
  return within('failed to parse endpoint SPIFFE ID', () => parseSpiffeId(text))
}

/** A bundle is never filed under another trust domain's name. */
function fromWireSeed(
  { trust_domain_bundle: wire }: WireRelationship,
  trustDomain: TrustDomain,
): Bundle | undefined {
  if (wire === null) return undefined
  const bundle = within('failed to parse bundle', () =>
    fromWireFederated(
      wire,
      within('invalid trust domain', () => parseTrustDomainName(wire.trust_domain)),
    ),
  )
  if (bundle.trustDomain === trustDomain) return bundle
  throw invalid(
    `trust domain bundle ("${bundle.trustDomain}") must match the trust domain of the federation relationship ("${trustDomain}")`,
  )
}

/** @param mask the fields to take over from `given`; null for all */
export function updatedRelationship(
  current: FederationRelationship,
  given: FederationRelationship,
  mask: WireMask | null,
): FederationRelationship {
  if (mask === null) return given
  return {
    ...current,
    ...(mask.bundle_endpoint_url ? { endpointUrl: given.endpointUrl } : {}),
    ...(mask.bundle_endpoint_profile ? { profile: given.profile } : {}),
  }
}

/** @param mask the fields to fill in; null for all. The trust domain is always there. */
export function toWireRelationship(
  { trustDomain, endpointUrl, profile }: FederationRelationship,
  bundle: Bundle | undefined,
  mask: WireMask | null,
): FederationRelationshipInput {
  const isWanted = (field: keyof WireMask) => mask === null || mask[field]
  return {
    trust_domain: trustDomain,
    ...(isWanted('bundle_endpoint_url') ? { bundle_endpoint_url: endpointUrl } : {}),
    ...(isWanted('bundle_endpoint_profile') ? toWireProfile(profile) : {}),
    ...(isWanted('trust_domain_bundle') && bundle
      ? { trust_domain_bundle: toWireBundle(bundle) }
      : {}),
  }
}

function toWireProfile(profile: EndpointProfile): FederationRelationshipInput {
  return profile.kind === 'https_web'
    ? { https_web: {} }
    : { https_spiffe: { endpoint_spiffe_id: profile.endpointId } }
}
