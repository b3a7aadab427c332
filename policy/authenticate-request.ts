/**
 * Decides what the tokens of a request are worth under the RequestAuthentications of a workload.
 *
 * A request without a token passes, with no principal: demanding one is the business of an AuthorizationPolicy. A
 * request with a token that no rule accepts is refused, whatever policies say.
 */

import { isAttached, type Place } from './attachment.ts'
import type { RequestToken } from './facts.ts'
import type { JwtRule } from './request-authentication.ts'
import type { PolicySnapshot, Workload } from './snapshot.ts'
import {
  type FoundToken,
  findTokens,
  type TokenLocation,
  type TokenRequest,
} from './token-locations.ts'

/** Why a token is worth nothing. The texts are those that Envoy answers with. */
const TEXTS = {
  malformed: 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections',
  'unknown-issuer': 'Jwt issuer is not configured',
  expired: 'Jwt is expired',
  'not-yet-valid': 'Jwt not yet valid',
  signature: 'Jwt verification fails',
  'no-matching-key': "Jwks doesn't have key to match kid or alg from Jwt",
  'keys-unavailable': 'Jwks remote fetch is failed',
  audience: 'Audiences in Jwt are not allowed',
} as const

export type TokenFault = keyof typeof TEXTS

export type TokenCheck =
  | { readonly kind: 'valid'; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly kind: 'refused'; readonly fault: TokenFault }

/**
 * Checks signature, times and audience of a token by the keys of a rule. The issuer has been compared already. It
 * answers `keys-unavailable` when there are no keys to check with, and never rejects.
 */
export type VerifyToken = (rule: JwtRule, jwt: string) => Promise<TokenCheck>

export type Authentication =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'valid'
      readonly rule: JwtRule
      readonly jwt: string
      readonly location: TokenLocation
      readonly token: RequestToken
    }
  | {
      readonly kind: 'refused'
      readonly status: 401 | 403
      readonly body: string
      /** Value of the response header `www-authenticate`. */
      readonly wwwAuthenticate: string
    }

/** Of one rule in one request; who sends more is not looked after. */
const MAX_TOKENS = 16

/** The rules of all policies that apply, by issuer. None where nobody sees requests. */
export function jwtRulesFor(
  snapshot: PolicySnapshot,
  workload: Workload,
  place: Place,
): readonly JwtRule[] {
  if (place.kind === 'sidecar-tcp' || place.kind === 'ztunnel') return []
  return snapshot.requestAuthentications
    .filter((policy) => isAttached(policy, snapshot.mesh.rootNamespace, workload, place))
    .flatMap((policy) => policy.jwtRules)
    .sort((one, other) => (one.issuer < other.issuer ? -1 : one.issuer > other.issuer ? 1 : 0))
}

export async function authenticateRequest(
  rules: readonly JwtRule[],
  request: TokenRequest,
  verify: VerifyToken,
): Promise<Authentication> {
  // A browser's preflight cannot carry a token, and nothing is done for it.
  if (isPreflight(request)) return { kind: 'none' }
  const faults: TokenFault[] = []
  for (const rule of rules) {
    const found = findTokens(rule, request)
    const [first] = found
    if (first === undefined) continue
    const outcome = await judge(rule, found, verify)
    if (outcome.kind === 'refused') {
      faults.push(outcome.fault)
      continue
    }
    const token = tokenOf(rule, outcome.claims)
    return { kind: 'valid', rule, jwt: first.jwt, location: first.location, token }
  }
  // Somebody who knows the issuer says more than those who do not.
  const fault = faults.find((known) => known !== 'unknown-issuer') ?? faults[0]
  return fault === undefined ? { kind: 'none' } : refusal(fault, request)
}

const isPreflight = (request: TokenRequest): boolean =>
  request.method === 'OPTIONS' &&
  ['origin', 'access-control-request-method'].every((name) =>
    request.headerLines(name).some((line) => line !== ''),
  )

/** All tokens at the places of a rule must be good; the first one speaks for the request. */
async function judge(
  rule: JwtRule,
  found: readonly FoundToken[],
  verify: VerifyToken,
): Promise<TokenCheck> {
  if (found.length > MAX_TOKENS) return { kind: 'refused', fault: 'malformed' }
  let first: TokenCheck | undefined
  for (const { jwt } of found) {
    const issuer = issuerOf(jwt)
    if (issuer === undefined) return { kind: 'refused', fault: 'malformed' }
    if (rule.issuer !== '' && rule.issuer !== issuer) {
      return { kind: 'refused', fault: 'unknown-issuer' }
    }
    const check = await verify(rule, jwt)
    if (check.kind === 'refused') return check
    first ??= check
  }
  return first ?? { kind: 'refused', fault: 'malformed' }
}

/** `iss` as the token says itself, for choosing the rule that will check it; empty when it says none. */
function issuerOf(jwt: string): string | undefined {
  const sections = jwt.split('.')
  if (sections.length !== 3) return undefined
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(sections[1] ?? '', 'base64url').toString('utf8'),
    )
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined
    const { iss } = payload as { readonly iss?: unknown }
    return iss === undefined ? '' : typeof iss === 'string' ? iss : undefined
  } catch {
    return undefined
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What policies see of verified claims. */
export function tokenOf(
  rule: Pick<JwtRule, 'spaceDelimitedClaims'>,
  claims: Readonly<Record<string, unknown>>,
): RequestToken {
  return {
    issuer: textOf(claims.iss),
    subject: textOf(claims.sub),
    claims,
    spaceDelimitedClaims: rule.spaceDelimitedClaims,
  }
}

function refusal(fault: TokenFault, { scheme, host, target }: TokenRequest): Authentication {
  const path = target.split('?')[0] ?? ''
  // The header's value stays one quoted text, whatever the request says.
  const realm = `${scheme}://${host}${path}`.replace(/[^\x21-\x7e]|["\\]/g, '').slice(0, MAX_REALM)
  return {
    kind: 'refused',
    status: fault === 'audience' ? 403 : 401,
    body: TEXTS[fault],
    wwwAuthenticate: `Bearer realm="${realm}", error="invalid_token"`,
  }
}

/** Characters of the request's address that are sent back. */
const MAX_REALM = 256
