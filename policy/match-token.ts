/**
 * Matchers of the token that a RequestAuthentication accepted. Without one, nothing here matches.
 */
import type { Matcher } from './clause.ts'
import type { RequestToken } from './facts.ts'
import { type Key, setTest, textSet } from './text-set.ts'
import type { View } from './view.ts'

/** Claims that RFC 8693 and OAuth write as words with spaces between them. */
const ALWAYS_SPACE_DELIMITED = ['scope', 'permission']

interface PrincipalPattern {
  readonly issuer: (text: string) => boolean
  readonly subject: (text: string) => boolean
  /** Issuer and subject, where both are plain. */
  readonly exact: string | undefined
}

const any = (text: string): boolean => text !== ''
const is = (wanted: string) => (text: string) => text !== '' && text === wanted
const begins = (prefix: string) => (text: string) => text !== '' && text.startsWith(prefix)
const ends = (suffix: string) => (text: string) => text !== '' && text.endsWith(suffix)

/** `<issuer>/<subject>`, divided at the last slash, since an issuer may have slashes. */
function principalPattern(value: string): PrincipalPattern {
  const slash = value.lastIndexOf('/')
  const issuer = slash === -1 ? value : value.slice(0, slash)
  const subject = slash === -1 ? '' : value.slice(slash + 1)
  if (value === '*') return { issuer: any, subject: any, exact: undefined }
  if (value.startsWith('*')) {
    return slash === -1
      ? { issuer: any, subject: ends(value.slice(1)), exact: undefined }
      : {
          issuer: issuer === '*' ? any : ends(issuer.slice(1)),
          subject: is(subject),
          exact: undefined,
        }
  }
  if (value.endsWith('*')) {
    return slash === -1
      ? { issuer: begins(value.slice(0, -1)), subject: any, exact: undefined }
      : {
          issuer: is(issuer),
          subject: subject === '*' ? any : begins(subject.slice(0, -1)),
          exact: undefined,
        }
  }
  return { issuer: is(issuer), subject: is(subject), exact: requestPrincipalKey(issuer, subject) }
}

/** No issuer or subject contains a line break that could make two pairs one. */
export const requestPrincipalKey = (issuer: string, subject: string): string =>
  `${issuer}\n${subject}`

export function matchRequestPrincipals(values: readonly string[]): Matcher {
  const patterns = values.map(principalPattern)
  const keys = patterns.flatMap(({ exact }): Key[] =>
    exact === undefined ? [] : [{ kind: 'exact', text: exact }],
  )
  return {
    matches: ({ request }) => {
      const token = request?.token
      return (
        token !== undefined &&
        patterns.some(({ issuer, subject }) => issuer(token.issuer) && subject(token.subject))
      )
    },
    seen: ({ request }) => request?.token && `${request.token.issuer}/${request.token.subject}`,
    keys: keys.length < patterns.length ? [] : [{ dimension: 'requestPrincipal', keys }],
  }
}

/** A claim that is text, or a list with texts in it; numbers and booleans never match. */
export function matchClaim(path: readonly string[], values: readonly string[]): Matcher {
  const holds = setTest(textSet(values))
  const texts = ({ request }: View) => (request?.token ? claimTexts(request.token, path) : [])
  return {
    matches: (view) => texts(view).some(holds),
    seen: (view) => texts(view).join(', ') || undefined,
    keys: [],
  }
}

function claimTexts(token: RequestToken, path: readonly string[]): readonly string[] {
  let value: unknown = token.claims
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return []
    value = (value as Record<string, unknown>)[name] // an own field, asked for in the line above
  }
  const [name = ''] = path
  if (typeof value === 'string') {
    const isDelimited =
      path.length === 1 &&
      (ALWAYS_SPACE_DELIMITED.includes(name) || token.spaceDelimitedClaims.includes(name))
    return isDelimited ? value.split(' ').filter((word) => word !== '') : [value]
  }
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/**
 * The names in `[a][b]`. When the brackets are not balanced, all between the first and the last of them is one name,
 * as in Istio.
 */
export function claimPath(brackets: string): readonly string[] {
  const names = [...brackets.matchAll(/\[([^[\]]*)\]/g)]
  return names.map(([whole]) => whole).join('') === brackets
    ? names.map(([, name]) => name ?? '')
    : [brackets.slice(1, -1)]
}
