/**
 * JSON with the place of every value. Strict RFC 8259, except that repeated keys are kept for the
 * checker to judge. The first thing that is not JSON refuses the whole text.
 *
 * @see RFC 8259
 */
import { refuseAt } from './mistake.ts'
import { type ConfigNode, MAX_CONFIG_DEPTH, type Member, type Place } from './tree.ts'

interface Reader {
  readonly file: string
  readonly text: string
  offset: number
  line: number
  lineStart: number
  depth: number
}

const BLANK = /[ \t\n\r]*/y
/** Finds where a string ends; `JSON.parse` judges what is inside. */
const STRING = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y
const LITERAL = /(?:true|false|null)(?!\w)/y

/** @throws IdentityError CONFIG_INVALID */
export function parseJson(file: string, text: string): ConfigNode {
  const reader: Reader = { file, text, offset: 0, line: 1, lineStart: 0, depth: 0 }
  const root = parseValue(reader)
  if (peek(reader) !== undefined)
    refuseAt(here(reader), 'text follows the value', 'the end of file')
  return root
}

function parseValue(reader: Reader): ConfigNode {
  const char = peek(reader)
  const place = here(reader)
  if (char === '{') return nested(reader, () => parseObject(reader, place))
  if (char === '[') return nested(reader, () => parseList(reader, place))
  if (char === '"') return { kind: 'string', value: parseString(reader), place }
  const number = take(reader, NUMBER)
  if (number !== undefined) return { kind: 'number', text: number, place }
  const literal = take(reader, LITERAL)
  if (literal === 'null') return { kind: 'null', place }
  if (literal !== undefined) return { kind: 'bool', value: literal === 'true', place }
  return refuseAt(place, 'no value can be read here', 'a JSON value')
}

function parseObject(reader: Reader, place: Place): ConfigNode {
  const members: Member[] = []
  for (let more = !close(reader, '}'); more; more = !endOrComma(reader, '}')) {
    if (peek(reader) !== '"') refuseAt(here(reader), 'no key can be read here', 'a string')
    const keyPlace = here(reader)
    const key = parseString(reader)
    if (!close(reader, ':')) refuseAt(here(reader), 'no value follows a key', ':')
    members.push({ key, place: keyPlace, value: parseValue(reader) })
  }
  return { kind: 'object', members, place }
}

function parseList(reader: Reader, place: Place): ConfigNode {
  const items: ConfigNode[] = []
  for (let more = !close(reader, ']'); more; more = !endOrComma(reader, ']')) {
    items.push(parseValue(reader))
  }
  return { kind: 'list', items, place }
}

function parseString(reader: Reader): string {
  const place = here(reader)
  const value = readLiteral(take(reader, STRING) ?? '')
  if (value === undefined) {
    return refuseAt(place, 'the string has no end, a wrong escape or a line end', 'a JSON string')
  }
  if (!value.isWellFormed())
    refuseAt(place, 'the string holds half a surrogate pair', 'Unicode text')
  return value
}

function readLiteral(literal: string): string | undefined {
  try {
    const value: unknown = JSON.parse(literal)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

function nested(reader: Reader, parse: () => ConfigNode): ConfigNode {
  reader.depth += 1
  if (reader.depth > MAX_CONFIG_DEPTH) {
    refuseAt(here(reader), 'nested too deeply', `at most ${MAX_CONFIG_DEPTH} levels`)
  }
  reader.offset += 1
  const node = parse()
  reader.depth -= 1
  return node
}

function endOrComma(reader: Reader, end: '}' | ']'): boolean {
  if (close(reader, end)) return true
  if (!close(reader, ',')) refuseAt(here(reader), 'two values are not separated', `, or ${end}`)
  return false
}

/** Steps over `char` if it comes next. */
function close(reader: Reader, char: string): boolean {
  if (peek(reader) !== char) return false
  reader.offset += 1
  return true
}

/** The next character that is not blank. */
function peek(reader: Reader): string | undefined {
  BLANK.lastIndex = reader.offset
  const blank = BLANK.exec(reader.text)?.[0] ?? ''
  for (let index = blank.indexOf('\n'); index !== -1; index = blank.indexOf('\n', index + 1)) {
    reader.line += 1
    reader.lineStart = reader.offset + index + 1
  }
  reader.offset += blank.length
  return reader.text[reader.offset]
}

function take(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.offset
  const text = pattern.exec(reader.text)?.[0]
  reader.offset += text?.length ?? 0
  return text
}

function here(reader: Reader): Place {
  return {
    kind: 'file',
    file: reader.file,
    line: reader.line,
    column: reader.offset - reader.lineStart + 1,
  }
}
