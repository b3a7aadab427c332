/**
 * Brings the path of a request into the one form that policies are matched against and that is forwarded, as Envoy
 * does under `meshConfig.pathNormalization`. Whatever cannot be brought into that form is refused; nothing is guessed.
 *
 * @see RFC 3986 §6.2.2 — percent-encoding and dot segments
 */

export const PATH_NORMALIZATIONS = [
  'NONE',
  'BASE',
  'MERGE_SLASHES',
  'DECODE_AND_MERGE_SLASHES',
] as const

/** `BASE` is Istio's default. */
export type PathNormalization = (typeof PATH_NORMALIZATIONS)[number]

export type NormalizedPath =
  | {
      readonly kind: 'path'
      /** What policies see: no query, no fragment. */
      readonly path: string
      /** `?…` as it was sent, or empty: what is forwarded is `path + query`. */
      readonly query: string
    }
  /** Answer 400. `why` may be told to the caller: it repeats nothing of the path. */
  | { readonly kind: 'refused'; readonly why: string }

const refused = (why: string): NormalizedPath => ({ kind: 'refused', why })

/**
 * Normalises a request target in origin form. `target` holds one character per byte, as HTTP parsers give it.
 * The fragment is cut off and `%00` is refused under every option.
 */
export function normalizePath(option: PathNormalization, target: string): NormalizedPath {
  const unfragmented = before(target, '#')
  const raw = before(unfragmented, '?')
  const query = unfragmented.slice(raw.length)
  if (/%00/.test(raw)) return refused('the path contains %00')
  // Raw bytes beyond ASCII belong in no URI, and hops disagree on what they mean.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are ASCII too
  if (!/^[\x01-\x7f]*$/.test(unfragmented)) return refused('the path is not ASCII')
  if (option === 'NONE') return { kind: 'path', path: raw, query }
  const decoded = option === 'DECODE_AND_MERGE_SLASHES' ? decodeSlashes(raw) : raw
  const resolved = resolve(decodeUnreserved(withoutDotParameters(escapeForbidden(decoded))))
  return {
    kind: 'path',
    path: option === 'BASE' ? resolved : mergeSlashes(resolved),
    query,
  }
}

const before = (text: string, mark: string): string => {
  const at = text.indexOf(mark)
  return at === -1 ? text : text.slice(0, at)
}

/** A path of slashes alone keeps two of them, as in Envoy: the first and the last are never the same one. */
const mergeSlashes = (path: string): string =>
  /^\/{2,}$/.test(path) ? '//' : path.replace(/\/{2,}/g, '/')

const decodeSlashes = (path: string): string => path.replace(/%2f/gi, '/').replace(/%5c/gi, '\\')

/** Characters that no URI may hold raw; the percent sign stays, and the backslash is a slash in the next step. */
const escapeForbidden = (path: string): string =>
  path.replace(FORBIDDEN, (char) => `%${hexByte(char.charCodeAt(0))}`)

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are among what is escaped
const FORBIDDEN = /[\x00-\x20"<>^`{|}\x7f]/g

const hexByte = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0')

/**
 * `.;p` and `..;p` are what servlet containers read as `.` and `..`. As in Envoy only literal dots between literal
 * slashes count here; what then still looks like a dot segment to somebody is found by `ambiguityOf`.
 */
const withoutDotParameters = (path: string): string => path.replace(/(^|\/)(\.\.?);[^/]*/g, '$1$2')

/**
 * RFC 3986 §2.3 unreserved characters, decoded once: what comes out of a decoding is not decoded again, and a stray
 * percent sign that would now begin an escape (`%%32e`) is itself escaped, so no second reading differs.
 */
const decodeUnreserved = (path: string): string =>
  path
    .replace(/%(?![0-9a-fA-F]{2})/g, STRAY)
    .replace(/%([0-9a-fA-F]{2})/g, (written, hex: string) => {
      const char = String.fromCharCode(Number.parseInt(hex, 16))
      return /[A-Za-z0-9._~-]/.test(char) ? char : written
    })
    .replace(STRAY_ESCAPE, '%25')
    .replaceAll(STRAY, '%')

/** Stands for a percent sign that begins no escape. Spaces have been escaped before. */
const STRAY = ' '
const STRAY_ESCAPE = / (?=[0-9a-fA-F]{2})/g

/** Backslashes become slashes; `.` and `..` disappear with what they undo; an empty segment counts as one. */
function resolve(path: string): string {
  const segments = path.replaceAll('\\', '/').replace(/^\//, '').split('/')
  const kept: string[] = []
  segments.forEach((segment, at) => {
    const last = at === segments.length - 1
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
    if (last && (segment === '.' || segment === '..')) kept.push('')
  })
  return `/${kept.join('/')}`
}
