/**
 * Where a request may carry a token, and how it is taken out again before the application sees the request.
 */
import type { JwtRule, TokenHeader } from './request-authentication.ts'

/** What is looked at; `target` is the path with its query as it will be forwarded. */
export interface TokenRequest {
  readonly method: string
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly target: string
  /** The lines of a header, one by one; `name` is in lower case. */
  headerLines(name: string): readonly string[]
}

export type TokenLocation =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string }

export interface FoundToken {
  readonly location: TokenLocation
  readonly jwt: string
}

const DEFAULT_HEADERS: readonly TokenHeader[] = [{ name: 'authorization', prefix: 'Bearer ' }]
const DEFAULT_PARAMS = ['access_token']

/** Every token at the places that a rule names, or at the default ones when it names none. */
export function findTokens(rule: JwtRule, request: TokenRequest): readonly FoundToken[] {
  const { fromHeaders, fromParams, fromCookies } = rule
  const isDefault = fromHeaders.length + fromParams.length + fromCookies.length === 0
  return [
    ...(isDefault ? DEFAULT_HEADERS : fromHeaders).flatMap((place) => inHeader(place, request)),
    ...(isDefault ? DEFAULT_PARAMS : fromParams).flatMap((name) => inParam(name, request)),
    ...fromCookies.flatMap((name) => inCookie(name, request)),
  ]
}

function inHeader({ name, prefix }: TokenHeader, request: TokenRequest): readonly FoundToken[] {
  const location = { kind: 'header', name: name.toLowerCase() } as const
  return request
    .headerLines(location.name)
    .filter((line) => line.startsWith(prefix))
    .map((line) => ({ location, jwt: line.slice(prefix.length).trim() }))
}

function inParam(name: string, { target }: TokenRequest): readonly FoundToken[] {
  return queryPairs(target)
    .filter((pair) => nameOfPair(pair) === name)
    .map((pair) => ({ location: { kind: 'param', name }, jwt: pair.slice(pair.indexOf('=') + 1) }))
}

function inCookie(name: string, request: TokenRequest): readonly FoundToken[] {
  return request
    .headerLines('cookie')
    .flatMap(cookiePairs)
    .filter((pair) => nameOfPair(pair) === name)
    .map((pair) => ({
      location: { kind: 'cookie', name },
      jwt: pair.slice(pair.indexOf('=') + 1).replace(/^"|"$/g, ''),
    }))
}

/** The target without these parameters; the others keep their order and spelling. */
export function withoutParams(target: string, names: readonly string[]): string {
  const mark = target.indexOf('?')
  if (mark === -1 || names.length === 0) return target
  const kept = queryPairs(target).filter((pair) => !names.includes(nameOfPair(pair)))
  return kept.length === 0 ? target.slice(0, mark) : `${target.slice(0, mark)}?${kept.join('&')}`
}

/** A line of the `cookie` header without these cookies; undefined when none is left. */
export function withoutCookies(line: string, names: readonly string[]): string | undefined {
  const kept = cookiePairs(line).filter((pair) => !names.includes(nameOfPair(pair)))
  return kept.length === 0 ? undefined : kept.join('; ')
}

const queryPairs = (target: string): readonly string[] => {
  const mark = target.indexOf('?')
  return mark === -1 ? [] : target.slice(mark + 1).split('&')
}

const cookiePairs = (line: string): readonly string[] =>
  line
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')

/** A pair without `=` has a name and an empty value; it cannot hold a token, but it is still of that name. */
const nameOfPair = (pair: string): string => {
  const equals = pair.indexOf('=')
  return equals === -1 ? pair : pair.slice(0, equals)
}
