/** A federation as an operator describes it, by flags or in a file, checked as far as SPIRE's command checks it. */
import type { BundleInput } from '../../../proto/gen/spire/api/types/Bundle.ts'
import type { FederationRelationship } from '../../../proto/gen/spire/api/types/FederationRelationship.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { quote } from '../../output/go-quote.ts'
import { readId } from '../spiffe-id.ts'

export interface Described {
  readonly trustDomain: string
  readonly url: string
  readonly profile: string
  readonly endpointId: string
  /** Not read before everything else was found in order. */
  readBundle(): Promise<BundleInput | undefined>
}

/** What goes to the server, with what people are shown of it when the server refuses it. */
export type Requested = Omit<FederationRelationship, 'trust_domain_bundle'> & {
  readonly trust_domain_bundle: BundleInput | null
}

/** @throws IdentityError in the words of SPIRE */
export async function toRelationship(described: Described): Promise<Requested> {
  const { trustDomain, url } = described
  if (trustDomain === '') throw refusal('trust domain is required')
  if (url === '') throw refusal('bundle endpoint URL is required')
  return {
    trust_domain: trustDomain,
    bundle_endpoint_url: url,
    ...profileOf(described),
    trust_domain_bundle: (await described.readBundle()) ?? null,
  }
}

function profileOf({ profile, endpointId }: Described): Partial<FederationRelationship> {
  switch (profile) {
    case 'https_web':
      return { bundle_endpoint_profile: profile, https_web: {} }
    case 'https_spiffe':
      return {
        bundle_endpoint_profile: profile,
        https_spiffe: { endpoint_spiffe_id: checkedEndpointId(endpointId) },
      }
    default:
      throw refusal(`unknown bundle endpoint profile type: ${quote(profile)}`)
  }
}

function checkedEndpointId(text: string): string {
  if (text === '') {
    throw refusal("endpoint SPIFFE ID is required if 'https_spiffe' endpoint profile is set")
  }
  try {
    return readId(text)
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    throw refusal(`cannot parse bundle endpoint SPIFFE ID: ${reasonOf(cause)}`, cause)
  }
}

function refusal(message: string, cause?: unknown): IdentityError {
  return new IdentityError('REQUEST_INVALID', message, cause === undefined ? {} : { cause })
}
