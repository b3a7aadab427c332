/**
 * The discovery document and the key set of an OpenID provider whose tokens are JWT-SVIDs. Pure.
 *
 * @see SPIRE API §12; OpenID Connect Discovery 1.0 §3
 */
import { createPublicKey } from 'node:crypto'
import { toJwk } from '../spiffe/bundle/jwk.ts'
import type { Bundle } from '../spiffe/bundle.ts'
import { jwtAlgorithmOf } from '../spiffe/jwt/algorithm.ts'

const INDENT = 2

export interface Issuer {
  /** As the tokens have it in `iss`. */
  readonly issuer: string
  readonly jwksUri: string
}

export function formatDiscoveryDocument({ issuer, jwksUri }: Issuer): string {
  const document = {
    issuer,
    jwks_uri: jwksUri,
    authorization_endpoint: '',
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256', 'ES384'],
  }
  return JSON.stringify(document, undefined, INDENT)
}

export interface KeySetOptions {
  /** Whether each key says that it is for signatures; some consumers insist on that, others refuse it. */
  readonly hasUse: boolean
}

/** @returns undefined when no key of the bundle verifies tokens */
export function formatKeySet(
  { jwtAuthorities }: Bundle,
  { hasUse }: KeySetOptions,
): string | undefined {
  const keys = jwtAuthorities.flatMap(({ keyId, publicKey }) => {
    const jwk = toJwk(publicKey)
    // A key of another kind signs no token.
    if (jwk === undefined || jwk.kty === 'OKP') return []
    const key = createPublicKey({ key: Buffer.from(publicKey), type: 'spki', format: 'der' })
    const { kty, ...members } = jwk
    const common = { kty, kid: keyId, alg: jwtAlgorithmOf(key) }
    return [{ ...(hasUse ? { use: 'sig' } : {}), ...common, ...members }]
  })
  return keys.length === 0 ? undefined : JSON.stringify({ keys }, undefined, INDENT)
}
