/**
 * Runs a vector of RequestAuthentication. These vectors tell a story in words, which is staged here with tokens that
 * need no keys: what a token is worth is written into it. A story whose words are not known is skipped by name.
 */
import {
  type Authentication,
  authenticateRequest,
  type TokenFault,
  type VerifyToken,
} from '../authenticate-request.ts'
import type { JwtRule } from '../request-authentication.ts'
import { requestEdits } from '../token-edits.ts'
import type { TokenRequest } from '../token-locations.ts'
import type { RequestAuthenticationCase } from './vector-file.ts'
import { compared, type VectorResult } from './vector-result.ts'

const ISSUER = 'https://idp.example/realms/a'

/** The words of the vectors for tokens that are worth nothing, and what is wrong with those. */
const WORTHLESS: Readonly<Record<string, TokenFault>> = {
  expired: 'expired',
  'not yet valid': 'not-yet-valid',
  'bad signature': 'signature',
  'wrong audience': 'audience',
  'audience not allowed': 'audience',
}

const RULE: JwtRule = {
  issuer: ISSUER,
  audiences: [],
  keys: { kind: 'discovery' },
  fromHeaders: [],
  fromParams: [],
  fromCookies: [],
  forwardOriginalToken: false,
  outputPayloadToHeader: undefined,
  outputClaimToHeaders: [],
  timeoutMs: 5_000,
  spaceDelimitedClaims: [],
}

interface Story {
  readonly rule: JwtRule
  readonly request: TokenRequest
  /** An AuthorizationPolicy demands a request principal. */
  readonly demandsToken: boolean
}

export async function runRequestAuthentication(
  vector: RequestAuthenticationCase,
): Promise<VectorResult> {
  const { id, title = '', expect } = vector
  const of = { section: 'requestAuthenticationCases', id, title } as const
  const story = storyOf(vector.token, title)
  if (story === undefined) {
    return { ...of, kind: 'skipped', why: `no way is known to stage the token "${vector.token}"` }
  }
  const hasNoKeys = /JWKS cannot be fetched/.test(title)
  const outcome = await authenticateRequest([story.rule], story.request, verifier(hasNoKeys))
  return compared(of, expect, { ...answer(story, outcome), ...forwarded(story, outcome) })
}

function answer({ demandsToken }: Story, outcome: Authentication) {
  if (outcome.kind === 'refused') return { status: outcome.status, body: outcome.body }
  return outcome.kind === 'none' && demandsToken
    ? { status: 403, body: 'RBAC: access denied' }
    : { status: 200, body: undefined }
}

function forwarded({ rule }: Story, outcome: Authentication) {
  if (outcome.kind === 'refused') return {}
  const { removeHeaders } = requestEdits([rule], outcome)
  return {
    upstreamAuthorizationHeader: removeHeaders.includes('authorization') ? 'removed' : 'kept',
  }
}

/** A token's second section says what it is worth. */
function verifier(hasNoKeys: boolean): VerifyToken {
  return async (_, jwt) => {
    if (hasNoKeys) return { kind: 'refused', fault: 'keys-unavailable' }
    const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
    const fault = WORTHLESS[String(claims.worth)]
    return fault === undefined ? { kind: 'valid', claims } : { kind: 'refused', fault }
  }
}

const madeToken = (worth: string): string => {
  const iss = worth === 'unknown issuer' ? 'https://else.example' : ISSUER
  const payload = JSON.stringify({ iss, sub: 'alice', worth })
  return worth === 'malformed'
    ? 'nonsense'
    : `e30.${Buffer.from(payload).toString('base64url')}.c2ln`
}

const WORDS = ['valid', 'none', 'malformed', 'unknown issuer', ...Object.keys(WORTHLESS)]

function storyOf(token: string, title: string): Story | undefined {
  const elsewhere = / in other header$/.test(token)
  const words = token.replace(/ in other header$/, '').split(' + ')
  if (!words.every((word) => WORDS.includes(word))) return undefined
  const rule: JwtRule = {
    ...RULE,
    forwardOriginalToken: /forwardOriginalToken (true|set)/.test(title),
    fromHeaders:
      words.length === 1
        ? []
        : words.map((_, at) => ({
            name: at === 0 ? 'authorization' : `x-token-${at}`,
            prefix: '',
          })),
  }
  const headers = new Map<string, string>()
  for (const [at, word] of words.entries()) {
    if (word === 'none') continue
    const [name, prefix] =
      words.length > 1
        ? [at === 0 ? 'authorization' : `x-token-${at}`, '']
        : [elsewhere ? 'x-unlisted' : 'authorization', 'Bearer ']
    headers.set(name, prefix + madeToken(word))
  }
  if (/\bOrigin\b/.test(title) && !/no Origin/.test(title))
    headers.set('origin', 'https://a.example')
  if (/Access-Control-Request-Method|no Origin/.test(title) && !/no Access-Control/.test(title)) {
    headers.set('access-control-request-method', 'POST')
  }
  return {
    rule,
    request: {
      method: /OPTIONS/.test(title) ? 'OPTIONS' : 'GET',
      scheme: 'http',
      host: 'cart.shop.svc.cluster.local',
      target: '/basket',
      headerLines: (name) => {
        const line = headers.get(name)
        return line === undefined ? [] : [line]
      },
    },
    demandsToken: /requires JWT/.test(title),
  }
}
