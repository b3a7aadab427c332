/**
 * RequestAuthentication (`security.istio.io/v1`, `v1beta1`): which JWTs a workload accepts, and where it looks for them.
 *
 * @see https://istio.io/latest/docs/reference/config/security/request_authentication/
 */
import type { Attachment, ObjectName } from './resource.ts'

/** A header that may carry a token after `prefix`, which must be there exactly and is cut off. */
export interface TokenHeader {
  readonly name: string
  readonly prefix: string
}

export interface ClaimHeader {
  readonly header: string
  /** Nested claims are joined with dots. */
  readonly claim: string
}

/** Where the keys of an issuer come from. */
export type KeySource =
  | { readonly kind: 'inline'; readonly jwks: string }
  | { readonly kind: 'uri'; readonly uri: string }
  /** `<issuer>/.well-known/openid-configuration` says where. */
  | { readonly kind: 'discovery' }

export interface JwtRule {
  /** `iss` must be equal; empty accepts any issuer whose keys these are. */
  readonly issuer: string
  /** One of them must be in `aud`; empty checks nothing. */
  readonly audiences: readonly string[]
  readonly keys: KeySource
  /** Without any of the three: `Authorization: Bearer …`, then the query parameter `access_token`. */
  readonly fromHeaders: readonly TokenHeader[]
  readonly fromParams: readonly string[]
  readonly fromCookies: readonly string[]
  /** False: the token is taken out of the request before the application sees it. */
  readonly forwardOriginalToken: boolean
  /** Header that carries the token's payload in base64url to the application. */
  readonly outputPayloadToHeader: string | undefined
  readonly outputClaimToHeaders: readonly ClaimHeader[]
  /** How long fetching the keys may take, in milliseconds. */
  readonly timeoutMs: number
  /** Split at spaces beside `scope` and `permission`, which always are. */
  readonly spaceDelimitedClaims: readonly string[]
}

export interface RequestAuthentication extends ObjectName {
  readonly attachment: Attachment
  readonly jwtRules: readonly JwtRule[]
}
