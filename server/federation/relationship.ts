/**
 * What the server knows of another trust domain beyond its bundle: where the bundle is fetched, and how whoever serves
 * it there proves who it is.
 *
 * @see Federation §5 — bundle endpoints and their profiles
 */
import type { SpiffeId, TrustDomain } from '../../spiffe/id.ts'

export type EndpointProfile =
  /** The endpoint has a certificate of the Web's PKI. */
  | { readonly kind: 'https_web' }
  /** The endpoint has the X509-SVID of this ID. */
  | { readonly kind: 'https_spiffe'; readonly endpointId: SpiffeId }

export interface FederationRelationship {
  readonly trustDomain: TrustDomain
  /** As it was given; it has been checked by `checkEndpointUrl`. */
  readonly endpointUrl: string
  readonly profile: EndpointProfile
}
