/**
 * Bundles as JSON: the SPIFFE bundle document that federation exchanges, and the plain key set of the Workload
 * API. Entries that a consumer does not know are skipped; broken ones refuse the whole document.
 *
 * @see SPIFFE-Trust-Domain-and-Bundle §4 — the document
 * @see X509-SVID §6, JWT-SVID §6 — its entries
 */
import type { Bundle, JwtAuthority, X509Authority } from '../bundle.ts'
import { emptyBundle } from '../bundle.ts'
import { IdentityError, reasonOf } from '../error.ts'
import type { TrustDomain } from '../id.ts'
import { parseCertificate } from '../x509/certificate.ts'
import { fromJwk, toJwk } from './jwk.ts'
import { isJsonObject, type Json, type JsonObject, parseStrictJson } from './strict-json.ts'

const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
const MAX_KEYS = 1000
/** Key types that an entry may have; one of another type is skipped (§4.2.1). */
const KEY_TYPES: ReadonlySet<Json | undefined> = new Set(['EC', 'RSA', 'OKP'])
/** None of the nine algorithms of JWT-SVID §2.1 takes an OKP key. */
const JWT_KEY_TYPES: ReadonlySet<Json | undefined> = new Set(['EC', 'RSA'])
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const INDENT = 4

/**
 * Reads a SPIFFE bundle document. It does not say whose it is: the caller knows from where it came.
 * @throws IdentityError BUNDLE_MALFORMED
 */
export function parseBundleDocument(text: string, trustDomain: TrustDomain): Bundle {
  return bundleOf(parseObject(text), trustDomain)
}

/** @throws IdentityError BUNDLE_MALFORMED */
export function bundleOf(document: JsonObject, trustDomain: TrustDomain): Bundle {
  const x509Authorities: X509Authority[] = []
  const jwtAuthorities: JwtAuthority[] = []
  const keyIds = new Set<string>()
  for (const [index, jwk] of keysOf(document).entries()) {
    if (!KEY_TYPES.has(jwk.kty)) continue
    switch (jwk.use) {
      case 'x509-svid': {
        const authority = x509Authority(jwk, index)
        if (authority !== undefined) x509Authorities.push(authority)
        break
      }
      case 'jwt-svid': {
        claimKeyId(jwk, index, keyIds)
        const authority = jwtAuthority(jwk, index)
        if (authority !== undefined) jwtAuthorities.push(authority)
        break
      }
      case 'wit-svid':
        claimKeyId(jwk, index, keyIds) // unique across JWT and WIT keys; the key itself is not for us
        break
    }
  }
  return {
    trustDomain,
    x509Authorities,
    jwtAuthorities,
    refreshHintSeconds: wholeNumber(document, 'spiffe_refresh_hint'),
    sequenceNumber: wholeNumber(document, 'spiffe_sequence'),
  }
}

/** Writes the SPIFFE bundle document. Taint is not in it: the format has no member for that. */
export function formatBundleDocument(bundle: Bundle): string {
  const { refreshHintSeconds, sequenceNumber } = bundle
  const x509Keys = bundle.x509Authorities.flatMap(({ der }) => {
    const jwk = toJwk(parseCertificate(der).spki)
    // Whose key cannot be written vouches for nobody.
    if (jwk === undefined) return []
    return [{ use: 'x509-svid', ...jwk, x5c: [Buffer.from(der).toString('base64')] }]
  })
  return format({
    keys: [...x509Keys, ...jwtKeys(bundle, { use: 'jwt-svid' })],
    ...(sequenceNumber > 0 && { spiffe_sequence: sequenceNumber }),
    ...(refreshHintSeconds > 0 && { spiffe_refresh_hint: refreshHintSeconds }),
  })
}

/** The JWT keys alone, as the Workload API hands them out: without `use`, sequence and hint. */
export function formatJwks(bundle: Bundle): string {
  return format({ keys: jwtKeys(bundle, {}) })
}

/**
 * Reads the JWT keys that a Workload API handed out. Keys marked for another use are skipped.
 * @throws IdentityError BUNDLE_MALFORMED
 */
export function parseJwks(text: string, trustDomain: TrustDomain): Bundle {
  const jwtAuthorities: JwtAuthority[] = []
  const keyIds = new Set<string>()
  for (const [index, jwk] of keysOf(parseObject(text)).entries()) {
    if (!KEY_TYPES.has(jwk.kty)) continue
    if (jwk.use !== undefined && jwk.use !== 'jwt-svid') continue
    claimKeyId(jwk, index, keyIds)
    const authority = jwtAuthority(jwk, index)
    if (authority !== undefined) jwtAuthorities.push(authority)
  }
  return { ...emptyBundle(trustDomain), jwtAuthorities }
}

/** @throws IdentityError BUNDLE_MALFORMED when the text is too long or no JSON object */
export function parseObject(text: string): JsonObject {
  if (text.length > MAX_DOCUMENT_BYTES) {
    throw malformed(`it is longer than ${MAX_DOCUMENT_BYTES} bytes`)
  }
  const document = parseStrictJson(text)
  if (!isJsonObject(document)) throw malformed('it is not a JSON object')
  return document
}

function keysOf(document: JsonObject): readonly JsonObject[] {
  const { keys } = document
  if (!Array.isArray(keys)) throw malformed('it has no list "keys"')
  if (keys.length > MAX_KEYS) throw malformed(`it has more than ${MAX_KEYS} keys`)
  return keys.map((key: Json, index) => {
    if (!isJsonObject(key)) throw malformed(`key ${index} is not an object`)
    return key
  })
}

/** @returns undefined for an entry without x5c, which consumers ignore (X509-SVID §6.2) */
function x509Authority(jwk: JsonObject, index: number): X509Authority | undefined {
  const first = Array.isArray(jwk.x5c) ? jwk.x5c[0] : undefined
  if (first === undefined) return undefined
  if (typeof first !== 'string' || !BASE64.test(first)) {
    throw malformed(`x5c of key ${index} is not base64`)
  }
  const der = Buffer.from(first, 'base64')
  const certificate = attempt(`x5c of key ${index}`, () => parseCertificate(der))
  const declared = attempt(`key ${index}`, () => fromJwk(jwk))
  // RFC 7517 §4.7: where both are given they are the same key.
  if (declared !== undefined && !Buffer.from(certificate.spki).equals(declared)) {
    throw malformed(`key ${index} and the certificate in its x5c have different public keys`)
  }
  return { der, tainted: false }
}

/** @returns undefined for a kind of key that no JWT-SVID is signed with */
function jwtAuthority(jwk: JsonObject, index: number): JwtAuthority | undefined {
  const publicKey = JWT_KEY_TYPES.has(jwk.kty)
    ? attempt(`key ${index}`, () => fromJwk(jwk))
    : undefined
  if (publicKey === undefined) return undefined
  return { keyId: String(jwk.kid), publicKey, expiresAt: undefined, tainted: false }
}

function claimKeyId({ kid }: JsonObject, index: number, taken: Set<string>): void {
  if (typeof kid !== 'string' || kid === '') throw malformed(`key ${index} has no kid`)
  if (taken.has(kid)) throw malformed(`kid ${JSON.stringify(kid)} is there twice`)
  taken.add(kid)
}

function jwtKeys(bundle: Bundle, use: { readonly use?: string }) {
  return bundle.jwtAuthorities.flatMap(({ keyId, publicKey }) => {
    const jwk = toJwk(publicKey)
    if (jwk === undefined || !JWT_KEY_TYPES.has(jwk.kty)) return []
    const { kty, ...members } = jwk
    return [{ ...use, kty, kid: keyId, ...members }]
  })
}

function wholeNumber(document: JsonObject, name: string): number {
  const value = document[name]
  if (value === undefined) return 0
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw malformed(`${name} is not a whole number`)
  }
  return value
}

function attempt<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    throw new IdentityError('BUNDLE_MALFORMED', `malformed bundle: ${what}: ${reasonOf(cause)}`, {
      cause,
    })
  }
}

function malformed(why: string): IdentityError {
  return new IdentityError('BUNDLE_MALFORMED', `malformed bundle: ${why}`)
}

function format(document: object): string {
  return JSON.stringify(document, undefined, INDENT)
}
