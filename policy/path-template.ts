/**
 * Path templates of AuthorizationPolicy: `{*}` is one segment with at least one character, `{**}` any characters,
 * slashes included, and is the last operator. They match what Envoy's URI templates match.
 *
 * @see RFC 3986 §3.3 — which characters a segment has
 */

const ONE = '{*}'
const ANY = '{**}'

/** Characters of a segment of a template. */
const LITERAL_CHARACTERS = "a-zA-Z0-9\\-._~%!$&'()+,;:@="
const LITERAL = new RegExp(`^[${LITERAL_CHARACTERS}]+$`)
/** Characters that the operators match, as in Envoy; a path with any other matches no operator. */
const MATCHED_CHARACTERS = `${LITERAL_CHARACTERS}*`

export const isPathTemplate = (path: string): boolean => path.includes(ONE) || path.includes(ANY)

/** What is wrong with a path of a policy, template or not; undefined when nothing is. */
export function wrongWithPath(path: string): string | undefined {
  const template = isPathTemplate(path)
  let anySeen = false
  for (const segment of path.replace(/^\/+|\/+$/g, '').split('/')) {
    if (segment === ONE || segment === ANY) {
      if (anySeen) return `{**} must be the last operator, found ${segment} behind it`
      anySeen = segment === ANY
    } else if (/[{}]/.test(segment)) {
      return `braces may only be a whole segment {*} or {**}, found ${JSON.stringify(segment)}`
    } else if (template && !LITERAL.test(segment)) {
      return `a template's other segments are plain text without *, found ${JSON.stringify(segment)}`
    }
  }
  return undefined
}

/** One pass over the path: the only expression that may match slashes occurs once. */
export function compilePathTemplate(template: string): RegExp {
  const pattern = template
    .split('/')
    .map((segment) => {
      if (segment === ONE) return `[${MATCHED_CHARACTERS}]+`
      if (segment === ANY) return `[${MATCHED_CHARACTERS}/]*`
      return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    })
    .join('/')
  return new RegExp(`^${pattern}$`)
}

/** What every path that matches begins with. */
export function literalPrefixOf(template: string): string {
  return template.slice(0, template.search(/\{\*\*?\}/))
}
