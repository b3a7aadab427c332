/**
 * What a request becomes on its way to the application once its token has been judged: the token is taken out, and
 * headers that a RequestAuthentication writes are the proxy's alone, so a client's copies go even when no token came.
 */
import type { Authentication } from './authenticate-request.ts'
import type { JwtRule } from './request-authentication.ts'

export interface RequestEdits {
  /** In lower case; remove before setting. */
  readonly removeHeaders: readonly string[]
  readonly setHeaders: readonly (readonly [name: string, value: string])[]
  readonly removeParams: readonly string[]
  readonly removeCookies: readonly string[]
}

/** `rules` are all of the workload; `authentication` is what they made of the request. */
export function requestEdits(
  rules: readonly JwtRule[],
  authentication: Exclude<Authentication, { kind: 'refused' }>,
): RequestEdits {
  const written = rules.flatMap((rule) => [
    ...(rule.outputPayloadToHeader === undefined ? [] : [rule.outputPayloadToHeader]),
    ...rule.outputClaimToHeaders.map(({ header }) => header),
  ])
  const removeHeaders = [...new Set(written.map((name) => name.toLowerCase()))]
  const untouched = { removeHeaders, setHeaders: [], removeParams: [], removeCookies: [] }
  if (authentication.kind === 'none') return untouched
  const { rule, location, jwt, token } = authentication
  const named = (kind: typeof location.kind) =>
    location.kind === kind && !rule.forwardOriginalToken ? [location.name] : []
  return {
    removeHeaders: [...removeHeaders, ...named('header')],
    setHeaders: outputHeaders(rule, jwt, token.claims),
    removeParams: named('param'),
    removeCookies: named('cookie'),
  }
}

function outputHeaders(
  rule: JwtRule,
  jwt: string,
  claims: Readonly<Record<string, unknown>>,
): RequestEdits['setHeaders'] {
  const payload = jwt.split('.')[1] ?? ''
  const whole = rule.outputPayloadToHeader
  return [
    ...(whole === undefined ? [] : [[whole.toLowerCase(), payload] as const]),
    ...rule.outputClaimToHeaders.flatMap(({ header, claim }) => {
      const text = headerText(claimAt(claims, claim.split('.')))
      return text === undefined ? [] : [[header.toLowerCase(), text] as const]
    }),
  ]
}

function claimAt(claims: unknown, path: readonly string[]): unknown {
  let value = claims
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name] // an own field, asked for in the line above
  }
  return value
}

/** Text, whole numbers and booleans. Text that would end the header line is left out. */
function headerText(value: unknown): string | undefined {
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value)
  return typeof value === 'string' && /^[\x20-\x7e]*$/.test(value) ? value : undefined
}
