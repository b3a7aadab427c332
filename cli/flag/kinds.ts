/** The kinds of flags that spire-server and spire-agent have, with the words in which they refuse a value. */
import { parseDurationMs } from '../../config/duration.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { quote } from '../output/go-quote.ts'
import type { Flag } from './flag.ts'

export function text(summary: string, fallback = ''): Flag<string> {
  return {
    summary,
    placeholder: 'string',
    initial: fallback,
    defaultText: fallback === '' ? undefined : fallback,
    read: (value) => value,
  }
}

/** A file or a directory. */
export function path(summary: string, fallback = ''): Flag<string> {
  return { ...text(summary, fallback), placeholder: 'path', choices: 'files' }
}

/** What is longer would leave no room for the summaries: the choices stand there instead. */
const MAX_PLACEHOLDER_CHARS = 24

/** A text of which these are known; whoever uses it refuses all others. */
export function choice(summary: string, choices: readonly string[], fallback = ''): Flag<string> {
  const placeholder = choices.join('|')
  return placeholder.length <= MAX_PLACEHOLDER_CHARS
    ? { ...text(summary, fallback), placeholder, choices }
    : { ...text(`${summary}: ${choices.join(', ')}`, fallback), choices }
}

/** The command itself refuses to go on without it, in the words of SPIRE. */
export function required<T>(flag: Flag<T>): Flag<T> {
  return { ...flag, required: true }
}

/** May be given several times. */
export function list(summary: string): Flag<readonly string[]> {
  return {
    summary: `${summary}; may be repeated`,
    placeholder: 'value',
    initial: [],
    defaultText: undefined,
    read: (value, previous) => [...previous, value],
  }
}

/** Values between commas; the last one given replaces what came before it. */
export function commaList(summary: string): Flag<readonly string[]> {
  return {
    summary: `${summary}; several are separated by commas`,
    placeholder: 'value',
    initial: [],
    defaultText: undefined,
    read: (value) => value.split(','),
  }
}

/** Undefined when it is not given: what is said aloud may count more than what is left out. */
export function boolean(summary: string): Flag<boolean | undefined> {
  return {
    summary,
    placeholder: undefined,
    initial: undefined,
    defaultText: undefined,
    read: readBoolean,
  }
}

/** A filter that takes `true` or `false` and filters nothing when it is given anything else. */
export function filter(summary: string): Flag<boolean | undefined> {
  return {
    summary,
    placeholder: 'true|false',
    choices: ['true', 'false'],
    initial: undefined,
    defaultText: undefined,
    read: (value) => BOOLEANS.get(value),
  }
}

export function integer(summary: string, fallback = 0): Flag<number> {
  return {
    summary,
    placeholder: 'int',
    initial: fallback,
    defaultText: fallback === 0 ? undefined : String(fallback),
    read: readInteger,
  }
}

/** Milliseconds. */
export function duration(summary: string, fallback = ''): Flag<number> {
  return {
    summary,
    placeholder: 'duration',
    initial: fallback === '' ? 0 : parseDurationMs(fallback),
    defaultText: fallback === '' ? undefined : fallback,
    read(value) {
      try {
        return parseDurationMs(value)
      } catch (cause) {
        throw refusal('parse error', cause)
      }
    },
  }
}

/** Milliseconds. */
export function timeout(summary: string, fallback: string): Flag<number> {
  return {
    summary,
    placeholder: 'duration',
    initial: parseDurationMs(fallback),
    defaultText: fallback,
    read(value) {
      try {
        return parseDurationMs(value)
      } catch (cause) {
        const isBare = /^[+-]?[\d.]+$/.test(value)
        const why = isBare ? 'missing unit in duration' : 'invalid duration'
        throw refusal(`time: ${why} ${quote(value)}`, cause)
      }
    },
  }
}

export type OutputFormat = 'pretty' | 'json'

/** Undefined when it is not given, which means pretty. */
export function outputFormat(summary: string): Flag<OutputFormat | undefined> {
  return {
    summary,
    placeholder: 'pretty|json',
    choices: ['pretty', 'json'],
    initial: undefined,
    defaultText: 'pretty',
    read(value, previous) {
      const format = value.toLowerCase()
      if (format !== 'pretty' && format !== 'json') {
        throw refusal(`bad formatter flag: unknown format option: ${quote(value)}`)
      }
      if (previous !== undefined && previous !== format) throw refusal(alreadySet(previous))
      return format
    },
  }
}

export function alreadySet(format: OutputFormat): string {
  return `the output format has already been set to "${format}"`
}

/** As Go's strconv.ParseBool. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
])

function readBoolean(value: string): boolean {
  const known = BOOLEANS.get(value)
  if (known === undefined) throw refusal('parse error')
  return known
}

/** Decimal, or by prefix hexadecimal, octal or binary, with `_` between digits: as Go's strconv.ParseInt. */
const INTEGER =
  /^([+-]?)(?:0x((?:_?[\da-f])+)|0o?((?:_?[0-7])+)|0b((?:_?[01])+)|(0|[1-9](?:_?\d)*))$/i

function readInteger(value: string): number {
  const match = INTEGER.exec(value)
  if (match === null) throw refusal('parse error')
  const [, sign, hex, octal, binary, decimal] = match
  const [digits = '', radix] =
    hex !== undefined
      ? [hex, 16]
      : octal !== undefined
        ? [octal, 8]
        : binary !== undefined
          ? [binary, 2]
          : [decimal, 10]
  const magnitude = Number.parseInt(digits.replaceAll('_', ''), radix)
  // Go stops at 63 bits, but none of these numbers means anything beyond what a double holds exactly.
  if (!Number.isSafeInteger(magnitude)) throw refusal('value out of range')
  return sign === '-' ? -magnitude : magnitude
}

function refusal(reason: string, cause?: unknown): IdentityError {
  return new IdentityError('REQUEST_INVALID', reason, cause === undefined ? {} : { cause })
}
