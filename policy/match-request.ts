/**
 * Matchers of what is called: port, server name, host, method, path and headers.
 */
import type { Dimension, Matcher } from './clause.ts'
import { compilePathTemplate, isPathTemplate, literalPrefixOf } from './path-template.ts'
import { type Key, keysOf, setTest, textSet } from './text-set.ts'
import { hostOf, type View } from './view.ts'

/** Decimal numbers; leading zeros mean nothing. */
export function matchPorts(values: readonly string[]): Matcher {
  const ports = new Set(values.map(Number))
  return {
    matches: ({ connection }) => ports.has(connection.destinationPort),
    seen: ({ connection }) => String(connection.destinationPort),
    keys: [
      { dimension: 'port', keys: [...ports].map((text) => ({ kind: 'exact', text }) as const) },
    ],
  }
}

/** The server name of the TLS handshake. */
export function matchServerNames(values: readonly string[]): Matcher {
  return matchText('sni', values, ({ connection }) => connection.sni)
}

/** Without regard to case, with the port that the header has. `*` is any host, even an empty one. */
export function matchHosts(values: readonly string[]): Matcher {
  const lower = values.map((value) => value.toLowerCase())
  return values.includes('*')
    ? matchPresence(({ request }) => request?.host)
    : matchText('host', lower, hostOf)
}

/** With regard to case. `*` is any method. */
export function matchMethods(values: readonly string[]): Matcher {
  const method = ({ request }: View) => request?.method
  return values.includes('*') ? matchPresence(method) : matchText('method', values, method)
}

/** With regard to case; templates match whole paths. */
export function matchPaths(values: readonly string[]): Matcher {
  const templates = values.filter(isPathTemplate)
  const set = textSet(values.filter((value) => !isPathTemplate(value)))
  const patterns = templates.map(compilePathTemplate)
  const holds = setTest(set)
  const texts = keysOf(set)
  const prefixes = templates.map((text): Key => ({ kind: 'prefix', text: literalPrefixOf(text) }))
  return {
    matches: ({ request }) => {
      if (request === undefined) return false
      return holds(request.path) || patterns.some((pattern) => pattern.test(request.path))
    },
    seen: ({ request }) => request?.path,
    keys: texts === undefined ? [] : [{ dimension: 'path', keys: [...texts, ...prefixes] }],
  }
}

/**
 * The lines of a header, one by one; a comma does not divide a line. `*` is any line, even an empty one.
 * Comparing the joined lines would let a second line hide the first.
 */
export function matchHeader(name: string, values: readonly string[]): Matcher {
  const lower = name.toLowerCase()
  const set = textSet(values)
  const holds = setTest(set)
  const lines = ({ request }: View) => request?.headerLines(lower) ?? []
  return {
    matches: (view) => lines(view).some((line) => set.any || holds(line)),
    seen: (view) => (lines(view).length === 0 ? undefined : lines(view).join(' | ')),
    keys: [],
  }
}

/** Metadata that filters of Envoy leave for each other. This proxy has none, so it is always absent. */
export function matchEnvoyMetadata(): Matcher {
  return { matches: () => false, seen: () => undefined, keys: [] }
}

function matchText(
  dimension: Dimension,
  values: readonly string[],
  read: (view: View) => string | undefined,
): Matcher {
  const set = textSet(values)
  const keys = keysOf(set)
  const holds = setTest(set)
  return {
    matches: (view) => {
      const text = read(view)
      return text !== undefined && holds(text)
    },
    seen: read,
    keys: keys === undefined ? [] : [{ dimension, keys }],
  }
}

const matchPresence = (read: (view: View) => string | undefined): Matcher => ({
  matches: (view) => read(view) !== undefined,
  seen: read,
  keys: [],
})
