/**
 * ClusterFederatedTrustDomain: a trust domain to federate with, and where its bundle is served.
 *
 * @see https://github.com/spiffe/spire-controller-manager/blob/main/docs/clusterfederatedtrustdomain-crd.md
 */
import { recordAt } from '../../kubernetes/object.ts'
import { parseBundleDocument } from '../../spiffe/bundle/jwks.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { parseSpiffeId, type TrustDomain } from '../../spiffe/id.ts'
import { parseTrustDomainName } from '../entries/member-id.ts'
import { checkEndpointUrl } from '../federation/endpoint-url.ts'
import type { EndpointProfile, FederationRelationship } from '../federation/relationship.ts'
import { inField, specRefusal, textField } from './spec-fields.ts'

export interface FederatedTrustDomainSpec {
  readonly relationship: FederationRelationship
  /** To begin with, until one has been fetched. */
  readonly bundle: Bundle | undefined
}

/** @param own the server's trust domain. @throws IdentityError saying which field is wrong, and why */
export function parseClusterFederatedTrustDomainSpec(
  spec: unknown,
  own: TrustDomain,
): FederatedTrustDomainSpec {
  const trustDomain = inField('trustDomain', () =>
    parseTrustDomainName(textField(spec, 'trustDomain')),
  )
  if (trustDomain === own) {
    throw specRefusal(`invalid trustDomain: "${own}" is the trust domain of this server itself`)
  }
  const endpointUrl = inField('bundleEndpointURL', () =>
    checkEndpointUrl(textField(spec, 'bundleEndpointURL')),
  )
  const profile = parseProfile(recordAt(spec, 'bundleEndpointProfile'))
  const document = textField(spec, 'trustDomainBundle')
  const bundle =
    document === ''
      ? undefined
      : inField('trustDomainBundle', () => parseBundleDocument(document, trustDomain))
  return { relationship: { trustDomain, endpointUrl, profile }, bundle }
}

function parseProfile(written: unknown): EndpointProfile {
  const type = textField(written, 'type')
  const endpointId = textField(written, 'endpointSPIFFEID')
  switch (type) {
    case 'https_web':
      if (endpointId === '') return { kind: 'https_web' }
      throw specRefusal('invalid endpointSPIFFEID: it means nothing with the profile "https_web"')
    case 'https_spiffe':
      return {
        kind: 'https_spiffe',
        endpointId: inField('endpointSPIFFEID', () => parseSpiffeId(endpointId)),
      }
    default: {
      const shown = JSON.stringify(type.slice(0, 64))
      throw specRefusal(
        `invalid bundleEndpointProfile: type is ${shown}, expected https_web or https_spiffe`,
      )
    }
  }
}
