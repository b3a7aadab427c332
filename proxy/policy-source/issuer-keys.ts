/**
 * The keys of the issuers that RequestAuthentications name: fetched in the background, each issuer by itself, again every so
 * often, and kept while an issuer is away. A request never waits for an issuer; without keys its token is refused with
 * a reason of its own.
 */
import type { Log } from '../../log/open-log.ts'
import type { TokenCheck, VerifyToken } from '../../policy/authenticate-request.ts'
import type { JwtRule } from '../../policy/request-authentication.ts'
import { type Bell, createBell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import {
  type IssuerKeys,
  parseIssuerKeys,
  verifyIssuedToken,
} from '../../spiffe/jwt/issued-token.ts'
import type { FetchDocument } from './fetch-document.ts'

export interface IssuerStatus {
  /** URL of the keys, or the issuer that is asked where they are. */
  readonly source: string
  readonly fetchedAt: Date | undefined
  readonly keys: number
  /** Why the last attempt failed; undefined when it did not. */
  readonly problem: string | undefined
}

export interface TokenKeys extends Disposable {
  /** Begins to follow the issuers of these rules, and forgets all others. */
  follow(rules: readonly JwtRule[]): void
  readonly verify: VerifyToken
  status(): readonly IssuerStatus[]
}

export interface TokenKeysOptions {
  readonly fetch: FetchDocument
  /** PEM; undefined: the authorities that Node comes with. */
  readonly ca: string | undefined
  readonly clock: Clock
  readonly log: Log
}

/** As istiod. */
const REFRESH_MS = 20 * 60_000
const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000
/** A token with an unknown key makes us look for newer keys, but not more often than this. */
const MIN_REFRESH_MS = 30_000
const MAX_ISSUERS = 200

interface Issuer {
  readonly stop: AbortController
  readonly bell: Bell
  keys: IssuerKeys | undefined
  fetchedAt: Date | undefined
  askedAt: Date | undefined
  problem: string | undefined
}

export function openTokenKeys(options: TokenKeysOptions): TokenKeys {
  const { clock, log } = options
  const issuers = new Map<string, Issuer>()
  const inline = new Map<string, IssuerKeys | undefined>()
  const keysOf = ({ keys, issuer }: JwtRule) =>
    keys.kind === 'inline'
      ? inlineKeys(inline, keys.jwks)
      : issuers.get(sourceOf(keys, issuer))?.keys
  return {
    follow(rules) {
      const wanted = new Map(
        rules
          .filter(({ keys }) => keys.kind !== 'inline')
          .map((rule) => [sourceOf(rule.keys, rule.issuer), rule] as const),
      )
      inline.clear()
      for (const [source, { stop }] of issuers) {
        if (wanted.has(source)) continue
        stop.abort()
        issuers.delete(source)
      }
      for (const [source, rule] of wanted) {
        if (issuers.has(source)) continue
        if (issuers.size >= MAX_ISSUERS) {
          log.error(
            { source, limit: MAX_ISSUERS },
            'Too many token issuers: tokens of this one are refused',
          )
          continue
        }
        const issuer = newIssuer()
        issuers.set(source, issuer)
        void followIssuer(source, issuer, rule, options)
      }
    },
    async verify(rule, token): Promise<TokenCheck> {
      const keys = keysOf(rule)
      if (keys === undefined) return { kind: 'refused', fault: 'keys-unavailable' }
      const now = clock.now()
      const check = await verifyIssuedToken(token, { keys, audiences: rule.audiences, now })
      if (check.kind === 'refused' && check.fault === 'no-matching-key') {
        wantNewer(issuers.get(sourceOf(rule.keys, rule.issuer)), now)
      }
      return check
    },
    status: () =>
      [...issuers].map(([source, { fetchedAt, keys, problem }]) => ({
        ...{ source, fetchedAt, problem },
        keys: keys?.keys.length ?? 0,
      })),
    [Symbol.dispose]() {
      for (const { stop } of issuers.values()) stop.abort()
    },
  }
}

function newIssuer(): Issuer {
  return {
    ...{ stop: new AbortController(), bell: createBell() },
    ...{ keys: undefined, fetchedAt: undefined, askedAt: undefined, problem: undefined },
  }
}

function sourceOf(keys: JwtRule['keys'], issuer: string): string {
  if (keys.kind === 'uri') return keys.uri
  return keys.kind === 'discovery' ? `discovery of ${issuer}` : 'inline'
}

/** Keys that stand in the policy itself; those that cannot be read are none. */
function inlineKeys(
  known: Map<string, IssuerKeys | undefined>,
  jwks: string,
): IssuerKeys | undefined {
  if (known.has(jwks)) return known.get(jwks)
  let keys: IssuerKeys | undefined
  try {
    keys = parseIssuerKeys(jwks)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
  }
  known.set(jwks, keys)
  return keys
}

function wantNewer(issuer: Issuer | undefined, now: Date): void {
  if (issuer === undefined) return
  const sinceMs = now.getTime() - (issuer.askedAt?.getTime() ?? 0)
  if (sinceMs >= MIN_REFRESH_MS) issuer.bell.ring()
}

async function followIssuer(
  source: string,
  issuer: Issuer,
  rule: JwtRule,
  options: TokenKeysOptions,
): Promise<void> {
  const { clock, log } = options
  const { signal } = issuer.stop
  let retryMs = FIRST_RETRY_MS
  while (!signal.aborted) {
    issuer.bell.reset()
    issuer.askedAt = clock.now()
    try {
      issuer.keys = parseIssuerKeys(await fetchKeys(rule, options, signal))
      issuer.fetchedAt = clock.now()
      issuer.problem = undefined
      retryMs = FIRST_RETRY_MS
      log.debug({ source, keys: issuer.keys.keys.length }, 'Keys of a token issuer fetched')
      await clock.sleep(REFRESH_MS, AbortSignal.any([signal, issuer.bell.signal()]))
    } catch (error) {
      if (signal.aborted) return
      const why = reasonOf(error)
      if (why !== issuer.problem) {
        const kept =
          issuer.keys === undefined ? 'its tokens are refused' : 'the last good keys stay'
        log.warn({ source, reason: why }, `Keys of a token issuer cannot be fetched; ${kept}`)
      }
      issuer.problem = why
      await clock.sleep(retryMs, signal)
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
    }
  }
}

/** @throws IdentityError */
async function fetchKeys(
  { keys, issuer, timeoutMs }: JwtRule,
  { fetch, ca }: TokenKeysOptions,
  signal: AbortSignal,
): Promise<string> {
  const how = { ca, timeoutMs, signal }
  if (keys.kind === 'uri') return await fetch(keys.uri, how)
  const where = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  return await fetch(jwksUriOf(await fetch(where, how), where), how)
}

function jwksUriOf(document: string, where: string): string {
  let parsed: unknown
  try {
    parsed = JSON.parse(document)
  } catch {
    parsed = undefined
  }
  if (typeof parsed === 'object' && parsed !== null && 'jwks_uri' in parsed) {
    if (typeof parsed.jwks_uri === 'string') return parsed.jwks_uri
  }
  throw new IdentityError('UNAVAILABLE', `${where} has no text "jwks_uri"`)
}
