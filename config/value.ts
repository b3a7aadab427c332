/**
 * Rules for single values: texts, numbers, durations, names of a closed list, identities, and lists
 * of them. As in SPIRE, an empty text and a zero mean that nothing was chosen.
 */
import { isIP } from 'node:net'
import { IdentityError } from '../spiffe/error.ts'
import { parseSpiffeId, parseTrustDomain, type SpiffeId, type TrustDomain } from '../spiffe/id.ts'
import { type Rule, reportRepeated } from './check.ts'
import { parseDurationMs } from './duration.ts'
import { addMistake } from './mistake.ts'
import { type ConfigNode, showKind, showNode } from './tree.ts'

/** `message` reads on from the name of the key. */
interface Wrong {
  readonly kind: 'wrong'
  readonly message: string
}

interface Unset {
  readonly kind: 'unset'
}

export type Parsed<T> = { readonly kind: 'value'; readonly value: T } | Unset | Wrong

/** A rule that reads one node, so that lists can be made of it. */
export interface Value<T> extends Rule<T> {
  readonly parse: (node: ConfigNode) => Parsed<T>
}

const UNSET: Unset = { kind: 'unset' }

function saw(node: ConfigNode): Wrong {
  return { kind: 'wrong', message: `is ${showNode(node)}` }
}

/** Makes a rule of how one node is read. The key may come once; null is unset. */
export function value<T>(
  parse: (node: ConfigNode) => Parsed<T>,
  expected: string,
  unit?: string,
): Value<T> {
  return {
    expected,
    unit,
    parse,
    read: (found, spot, context) => {
      reportRepeated(found, spot, context)
      const [member] = found
      if (member === undefined || member.value.kind === 'null') return undefined
      const parsed = parse(member.value)
      if (parsed.kind === 'value') return parsed.value
      if (parsed.kind === 'wrong') {
        addMistake(context.report, member.place, `${spot.name} ${parsed.message}`, expected)
      }
      return undefined
    },
  }
}

/** The text of a string, or of a number written where a text belongs, as SPIRE reads it. */
function textOf(node: ConfigNode): string | undefined {
  if (node.kind === 'string') return node.value
  return node.kind === 'number' ? node.text : undefined
}

/** Like `value`, for what is written as a text; an empty one is unset. */
function fromText<T>(
  parse: (text: string, node: ConfigNode) => Parsed<T>,
  expected: string,
  unit?: string,
): Value<T> {
  return value(
    (node) => {
      const written = textOf(node)
      if (written === undefined) return { kind: 'wrong', message: `is ${showKind(node)}` }
      return written === '' ? UNSET : parse(written, node)
    },
    expected,
    unit,
  )
}

export function text(expected = 'a string'): Value<string> {
  return fromText((written) => ({ kind: 'value', value: written }), expected)
}

/** A string of this form; unlike other texts it may not be written as a number. */
export function textLike(form: RegExp, expected: string): Value<string> {
  return value((node) => {
    if (node.kind === 'string' && node.value === '') return UNSET
    return node.kind === 'string' && form.test(node.value)
      ? { kind: 'value', value: node.value }
      : saw(node)
  }, expected)
}

export function truth(): Value<boolean> {
  return value((node) => {
    return node.kind === 'bool' ? { kind: 'value', value: node.value } : saw(node)
  }, 'true or false')
}

const INTEGER = /^[+-]?(?:0[xX][0-9a-fA-F]+|0|[1-9]\d*)$/

/** A whole number within bounds, or a string of one. Zero is unset unless `least` is below 1. */
export function whole(least: number, most: number, expected: string, unit?: string): Value<number> {
  return fromText(
    (written, node) => {
      if (!INTEGER.test(written)) return saw(node)
      const sign = written.startsWith('-') ? -1 : 1
      const number = sign * Number(written.replace(/^[+-]/, ''))
      if (number === 0) return least > 0 ? UNSET : { kind: 'value', value: 0 }
      return number >= least && number <= most ? { kind: 'value', value: number } : saw(node)
    },
    expected,
    unit,
  )
}

/** A number of things; zero is unset. */
export function count(): Value<number> {
  return whole(1, Number.MAX_SAFE_INTEGER, 'a number above zero')
}

const MAX_PORT = 65_535

export function port(): Value<number> {
  return whole(1, MAX_PORT, `a port from 1 to ${MAX_PORT}`)
}

/** How often something happens or how long it may take, in milliseconds. Zero is unset. */
export function milliseconds(): Value<number> {
  return duration(0, 1, 'a duration such as 1h30m or 10s')
}

/** How long something lives, in whole seconds as certificates and tokens count. Zero is unset. */
export function seconds(
  leastSeconds = 1,
  expected = 'a duration such as 24h or 90s',
): Value<number> {
  return duration(leastSeconds, 1000, expected)
}

function duration(least: number, unitMs: number, expected: string): Value<number> {
  return fromText(
    (written, node) =>
      attempt(() => {
        const amount = parseDurationMs(written) / unitMs
        if (amount === 0) return UNSET
        if (amount < least || (unitMs > 1 && !Number.isInteger(amount))) return saw(node)
        return { kind: 'value', value: amount }
      }),
    expected,
    'duration',
  )
}

/** One of a closed list of names, in any case as SPIRE reads most of them. */
export function choice<const T extends string>(
  names: readonly T[],
  aliases: Readonly<Record<string, T>> = {},
): Value<T> {
  const known = new Map([
    ...names.map((name) => [name.toLowerCase(), name] as const),
    ...Object.entries(aliases).map(([alias, name]) => [alias.toLowerCase(), name] as const),
  ])
  return fromText(
    (written, node) => {
      const name = known.get(written.toLowerCase())
      return name === undefined ? saw(node) : { kind: 'value', value: name }
    },
    `one of ${names.join(', ')}`,
  )
}

const HOST_LABEL = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/
const MAX_HOST_BYTES = 253

/** An IP address, also in brackets, or a DNS name. */
export function host(expected = 'an IP address or a DNS name'): Value<string> {
  return fromText((written, node) => {
    const bare = written.replace(/^\[(.*)\]$/, '$1')
    const name =
      bare.length <= MAX_HOST_BYTES && bare.split('.').every((label) => HOST_LABEL.test(label))
    return isIP(bare) !== 0 || name ? { kind: 'value', value: bare } : saw(node)
  }, expected)
}

/** Linux keeps 108 bytes for the path of a socket, the last of them zero. */
const MAX_SOCKET_PATH_BYTES = 107

export function socketPath(): Value<string> {
  return fromText((written, node) => {
    if (Buffer.byteLength(written) > MAX_SOCKET_PATH_BYTES) return saw(node)
    return { kind: 'value', value: written }
  }, `a path of at most ${MAX_SOCKET_PATH_BYTES} bytes`)
}

export function trustDomain(): Value<TrustDomain> {
  return fromText(
    (written) => attempt(() => ({ kind: 'value', value: parseTrustDomain(written) })),
    'the name of a trust domain, such as example.org',
  )
}

export function spiffeIdValue(): Value<SpiffeId> {
  return value((node) => {
    const written = textOf(node)
    if (written === undefined) return { kind: 'wrong', message: `is ${showKind(node)}` }
    return attempt(() => ({ kind: 'value', value: parseSpiffeId(written) }))
  }, 'a SPIFFE ID such as spiffe://example.org/admin')
}

/** A list; every item that is wrong is one mistake of the list's. */
export function listOf<T>(item: Value<T>, what: string): Value<readonly T[]> {
  return value((node) => {
    if (node.kind !== 'list') return { kind: 'wrong', message: `is ${showKind(node)}` }
    const items: T[] = []
    for (const [index, one] of node.items.entries()) {
      const parsed = item.parse(one)
      if (parsed.kind === 'unset') return { kind: 'wrong', message: `has an empty item ${index}` }
      if (parsed.kind === 'wrong')
        return { kind: 'wrong', message: `item ${index} ${parsed.message}` }
      items.push(parsed.value)
    }
    return { kind: 'value', value: items }
  }, `a list of ${what}`)
}

/** What the callee refuses is a wrong value; anything else it throws is a bug. */
function attempt<T>(parse: () => Parsed<T>): Parsed<T> {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return { kind: 'wrong', message: `is wrong: ${error.message}` }
  }
}
