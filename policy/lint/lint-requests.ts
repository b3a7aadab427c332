/**
 * Findings about what is called: texts that no request has, and texts that a request may slip past by another spelling of
 * the same thing.
 */
import { normalizePath, type PathNormalization } from '../normalize-path.ts'
import { compilePathTemplate, isPathTemplate } from '../path-template.ts'
import { setTest, textSet } from '../text-set.ts'
import { type Finding, quoted } from './finding.ts'
import type { Linted } from './surroundings.ts'
import {
  effectOfNoMatch,
  fieldsOfPolicy,
  found,
  opensWhenUnmatched,
  type WrittenField,
} from './written-field.ts'

export function lintRequests({ snapshot }: Linted): readonly Finding[] {
  const { pathNormalization } = snapshot.mesh
  return snapshot.authorizationPolicies.flatMap(fieldsOfPolicy).flatMap((field) => {
    const each = (judge: (field: WrittenField, value: string) => readonly Finding[]) =>
      field.values.flatMap((value) => judge(field, value))
    switch (field.attribute) {
      case 'host':
        return [...each(wrongStar), ...hostsWithoutPort(field)]
      case 'method':
        return [...each(wrongStar), ...each(lowerCaseMethod)]
      case 'path':
        return [
          ...each(wrongStar),
          ...each((_, value) => unseenPath(field, value, pathNormalization)),
          ...passedPaths(field),
        ]
      // The parser refuses other stars in these, and namespaces may have them anywhere.
      case 'source.namespace':
      case 'source.serviceAccount':
      case 'source.trustDomain':
        return []
      default:
        return field.attribute.startsWith('experimental.')
          ? [envoyMetadata(field)]
          : each(wrongStar)
    }
  })
}

/** One star at one end is a wildcard; any other is a character that nothing has. */
function wrongStar(field: WrittenField, value: string): readonly Finding[] {
  const isTemplate = field.attribute === 'path' && isPathTemplate(value)
  if (isTemplate || value === '*') return []
  const rest = value.startsWith('*') ? value.slice(1) : value.replace(/\*$/, '')
  if (!rest.includes('*')) return []
  const isPath = field.attribute === 'path'
  const isHeader = field.attribute.startsWith('request.headers')
  return [
    found(
      field,
      'star-in-the-middle',
      // A header may really have a star in it, as Accept does.
      isHeader ? 'warning' : 'error',
      `a star is a wildcard at one end only, so ${quoted(value)} asks for the very character *${isHeader ? '' : ` and ${effectOfNoMatch(field)}`}`,
      isPath
        ? 'write a path template, with {*} for one segment and {**} for all that follows'
        : 'write a prefix such as "a*", a suffix such as "*b", or list the values',
    ),
  ]
}

function envoyMetadata(field: WrittenField): Finding {
  return found(
    field,
    'envoy-metadata',
    'error',
    `${field.attribute} is left by filters of Envoy, of which there are none here, so it ${effectOfNoMatch(field)}`,
    'use a header, a claim or an external provider instead',
  )
}

function lowerCaseMethod(field: WrittenField, value: string): readonly Finding[] {
  if (value === value.toUpperCase()) return []
  return [
    found(
      field,
      'method-lower-case',
      'error',
      `methods are compared with regard to case, so ${quoted(value)} ${effectOfNoMatch(field)}`,
      `write ${quoted(value.toUpperCase())}`,
    ),
  ]
}

/** A client may write the port behind the name, and the same host is then another text. */
function hostsWithoutPort(field: WrittenField): readonly Finding[] {
  const lower = field.values.map((value) => value.toLowerCase())
  // Made once for all values: a policy may have very many of them.
  const holds = setTest(textSet(lower))
  const withPort = new Set(lower.flatMap(stemsOf))
  return field.values.flatMap((value) => hostWithoutPort(field, value, holds, withPort))
}

/** Colons of one host that are looked at; an address of IPv6 has seven, and one before its port. */
const MAX_COLONS = 8

/** What stands before each of its colons. */
function stemsOf(host: string): readonly string[] {
  const stems: string[] = []
  for (let at = host.indexOf(':'); at >= 0; at = host.indexOf(':', at + 1)) {
    if (stems.length === MAX_COLONS) break
    stems.push(host.slice(0, at))
  }
  return stems
}

function hostWithoutPort(
  field: WrittenField,
  value: string,
  holds: (host: string) => boolean,
  withPort: ReadonlySet<string>,
): readonly Finding[] {
  if (value.endsWith('*') || value === '' || hasPort(value)) return []
  const isSuffix = value.startsWith('*')
  const sample = `${isSuffix ? `a${value.slice(1)}` : value}:`.toLowerCase()
  if (withPort.has(value.toLowerCase()) || holds(`${sample}80`)) return []
  const isOpen = opensWhenUnmatched(field)
  return [
    found(
      field,
      'host-without-port',
      isOpen ? 'error' : 'warning',
      `${quoted(value)} is not ${quoted(`${isSuffix ? value : value.toLowerCase()}:8080`)}: ${isOpen ? 'a caller passes by writing any port into the Host header' : 'clients that write the port into the Host header are not matched'}`,
      isSuffix
        ? `list it with each port as well, such as ${quoted(`${value}:443`)}`
        : `write ${quoted(value)} and ${quoted(`${value}:*`)}`,
    ),
  ]
}

const hasPort = (host: string): boolean => /:\d+$/.test(host)

/** A path that no normalised path is equal to. */
function unseenPath(
  field: WrittenField,
  value: string,
  option: PathNormalization,
): readonly Finding[] {
  const finding = (why: string, instead: string) => [
    found(
      field,
      'path-never-seen',
      'error',
      `${why}, so ${quoted(value)} ${effectOfNoMatch(field)}`,
      instead,
    ),
  ]
  const [before = ''] = value.split(/[?#]/)
  if (before !== value) {
    return finding('the query and the fragment are no part of the path', `write ${quoted(before)}`)
  }
  if (!/^[/*]/.test(value)) {
    return finding('every path begins with a slash', `write ${quoted(`/${value}`)}`)
  }
  // Of a suffix nobody knows what stands before it.
  if (value.startsWith('*')) return []
  const sample = sampleOf(value)
  const normalized = normalizePath(option, sample)
  if (normalized.kind === 'path' && normalized.path === sample) return []
  return finding(
    `rules see paths after the normalisation ${option}, which leaves no path like this`,
    isPathTemplate(value) || value.endsWith('*') || normalized.kind === 'refused'
      ? 'write it as it is after decoding, with dots and slashes resolved, and other bytes percent-encoded'
      : `write ${quoted(normalized.path)}`,
  )
}

/** One path that the value matches. */
function sampleOf(value: string): string {
  const filled = value.replaceAll('{**}', 'x').replaceAll('{*}', 'x')
  return filled.startsWith('*') ? `/x${filled.slice(1)}` : filled.replace(/\*$/, 'x')
}

/**
 * Many servers read `/a/` and `/a;x` as `/a`. Where failing to match lets a request pass, the other spellings must be
 * matched too.
 */
function passedPaths(field: WrittenField): readonly Finding[] {
  if (!opensWhenUnmatched(field)) return []
  // Each path is tried with each template.
  if (field.values.filter(isPathTemplate).length > MAX_TEMPLATES) return []
  const matches = pathMatcher(field.values)
  return field.values.flatMap((value) => passedPath(field, value, matches))
}

/** In one list; of longer ones nothing is told. */
const MAX_TEMPLATES = 100

function passedPath(
  field: WrittenField,
  value: string,
  matches: (path: string) => boolean,
): readonly Finding[] {
  if (value === '*' || value === '/' || !/^[/*]/.test(value)) return []
  const sample = sampleOf(value)
  const bare = sample.replace(/\/$/, '')
  const passing = [bare, `${bare}/`, `${bare};x`].filter(
    (path) => path !== '' && path !== sample && !matches(path),
  )
  if (passing.length === 0 || !matches(sample)) return []
  const isAllow = field.policy.action.kind === 'ALLOW'
  return [
    found(
      field,
      'deny-path-passed',
      'warning',
      `${quoted(value)} is not ${passing.map(quoted).join(' or ')}, which many servers take for the same; those ${isAllow ? 'are admitted' : 'pass'}, as does another case where the server ignores it`,
      `${spellings(value)}an ALLOW policy that names what may be called`,
    ),
  ]
}

/** Nothing can stand behind a suffix. A template takes no other star, so parameters are beyond it. */
function spellings(value: string): string {
  const stem = value.replace(/\/$/, '')
  if (value.startsWith('*')) return 'write '
  const others = isPathTemplate(value) ? [`${stem}/{**}`] : [`${stem}/*`, `${stem};*`]
  return `write ${[stem, ...others].map(quoted).join(', ')}, or better `
}

function pathMatcher(values: readonly string[]): (path: string) => boolean {
  const holds = setTest(textSet(values.filter((value) => !isPathTemplate(value))))
  const patterns = values.filter(isPathTemplate).map(compilePathTemplate)
  return (path) => holds(path) || patterns.some((pattern) => pattern.test(path))
}
