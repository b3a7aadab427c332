/**
 * `printf`, as far as identities need it: %s %v %q %d %x %X %o %b %c %t and %%, with widths, precision of texts and the
 * flags `-` and `0`. A verb that does not fit its value is refused, where Go would write the complaint into the text.
 */
import { mustBeShort, templateError } from './template-error.ts'
import { asNumber, asText, pointedTo, printed, typeName, type Value } from './value.ts'

const VERB = /%([-0]*)(\d{1,3})?(?:\.(\d{1,3}))?(.?)/gsu

/** @throws IdentityError REQUEST_INVALID */
export function formatted(format: string, values: readonly Value[]): string {
  let used = 0
  let length = 0
  const text = format.replace(
    VERB,
    (_, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%'
      const value = values[used]
      used += 1
      if (value === undefined) throw templateError(`printf has no value for %${verb}`)
      const limit = precision === undefined ? undefined : Number(precision)
      const written = padded(shown(verb, value, limit), flags, Number(width ?? 0), verb)
      length += written.length
      mustBeShort(length)
      return written
    },
  )
  if (used < values.length)
    throw templateError(`printf has ${values.length - used} values too many`)
  return text
}

function padded(text: string, flags: string, width: number, verb: string): string {
  const missing = width - [...text].length
  if (missing <= 0) return text
  if (flags.includes('-')) return text + ' '.repeat(missing)
  if (!flags.includes('0')) return ' '.repeat(missing) + text
  const sign = 'dxXob'.includes(verb) && text.startsWith('-') ? '-' : ''
  return sign + '0'.repeat(missing) + text.slice(sign.length)
}

const BASES: Readonly<Record<string, number>> = { d: 10, x: 16, X: 16, o: 8, b: 2 }

/** Go would write the address. @throws IdentityError REQUEST_INVALID */
export function refusePointer(value: Value): void {
  if (value.type.kind !== 'pointer' || pointedTo(value) === undefined) return
  throw templateError(
    `a pointer (${typeName(value.type)}) cannot be printed, only written by itself`,
  )
}

function shown(verb: string, value: Value, precision: number | undefined): string {
  refusePointer(value)
  const { kind } = value.type
  if (verb === 'v' && precision === undefined) return kind === 'missing' ? '<nil>' : printed(value)
  if (kind === 'string') return shownText(verb, asText(value), precision)
  if (verb === 's' && (kind === 'list' || kind === 'map') && precision === undefined) {
    return printed(value)
  }
  if (kind === 'bool' && verb === 't') return String(value.data === true)
  const base = BASES[verb]
  if (kind === 'int' && base !== undefined && precision === undefined) {
    const digits = asNumber(value).toString(base)
    return verb === 'X' ? digits.toUpperCase() : digits
  }
  if (kind === 'int' && verb === 'c') return String.fromCodePoint(codePoint(asNumber(value)))
  throw templateError(`printf cannot write ${typeName(value.type)} as %${verb}`)
}

function codePoint(value: number): number {
  const isCharacter = value >= 0 && value <= 0x10ffff && !(value >= 0xd800 && value <= 0xdfff)
  return isCharacter ? value : 0xfffd
}

function shownText(verb: string, text: string, precision: number | undefined): string {
  const cut = precision === undefined ? text : [...text].slice(0, precision).join('')
  switch (verb) {
    case 's':
    case 'v':
      return cut
    case 'q':
      return quoted(cut)
    case 'x':
    case 'X': {
      const hex = Buffer.from(text).subarray(0, precision).toString('hex')
      return verb === 'X' ? hex.toUpperCase() : hex
    }
    default:
      throw templateError(`printf cannot write string as %${verb}`)
  }
}

/** Only what Go and JSON quote alike. */
function quoted(text: string): string {
  if (/[^\x20-\x7e]/.test(text)) throw templateError('printf writes only plain ASCII as %q')
  return JSON.stringify(text)
}
