/**
 * Signed requests of ACME: a flattened JWS by ES256, and the names that RFC 8555 derives from the account's key.
 *
 * @see RFC 8555 §6.2 — request authentication; RFC 7515 §7.2.2; RFC 7638 — thumbprints
 */
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto'

/** Of a P-256 key, its members in the order in which a thumbprint takes them. */
export interface AccountJwk {
  readonly crv: string
  readonly kty: 'EC'
  readonly x: string
  readonly y: string
}

/** `jwk` names the key itself, for the one request that makes the account; `kid` the account afterwards. */
export type Signatory =
  | { readonly jwk: AccountJwk; readonly kid?: never }
  | { readonly kid: string; readonly jwk?: never }

const base64url = (data: string | Uint8Array) => Buffer.from(data).toString('base64url')

/** @param key private, P-256 */
export function accountJwkOf(key: KeyObject): AccountJwk {
  const { crv, x, y } = createPublicKey(key).export({ format: 'jwk' })
  if (crv !== 'P-256' || x === undefined || y === undefined) {
    throw new TypeError('an account key is of the curve P-256')
  }
  return { crv, kty: 'EC', x, y }
}

export function thumbprintOf({ crv, kty, x, y }: AccountJwk): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}

/** @see RFC 8555 §8.1 — key authorizations */
export function keyAuthorizationOf(token: string, thumbprint: string): string {
  return `${token}.${thumbprint}`
}

/**
 * @param payload an empty text asks for the resource as it is (POST-as-GET, RFC 8555 §6.3)
 * @returns the body of the request
 */
export function signRequest(
  key: KeyObject,
  signatory: Signatory,
  {
    url,
    nonce,
    payload,
  }: { readonly url: string; readonly nonce: string; readonly payload: string },
): string {
  const header = base64url(JSON.stringify({ alg: 'ES256', nonce, url, ...signatory }))
  const body = base64url(payload)
  const data = Buffer.from(`${header}.${body}`)
  const signature = sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' })
  return JSON.stringify({ protected: header, payload: body, signature: base64url(signature) })
}
