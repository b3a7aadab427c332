/**
 * The functions of Go's templates. There are no others upstream, so neither are there here; `call` and `js` are refused
 * by name, since nothing that a template sees can be called, and no identity is JavaScript.
 *
 * @see https://pkg.go.dev/text/template — Functions
 */
import { compare, isEqual } from './compare.ts'
import { formatted, refusePointer } from './format.ts'
import { mustBeShort, templateError } from './template-error.ts'
import {
  asNumber,
  asText,
  entryOf,
  intValue,
  isTrue,
  itemsOf,
  keysOf,
  MISSING,
  pointedTo,
  printed,
  textValue,
  truthValue,
  typeName,
  type Value,
} from './value.ts'

/** Evaluated only when it is asked for: `and` and `or` stop at the first that decides. */
export type Argument = () => Value

type TemplateFunction = (args: readonly Argument[]) => Value

const strict =
  (name: string, least: number, most: number, work: (values: readonly Value[]) => Value) =>
  (args: readonly Argument[]): Value => {
    if (args.length < least || args.length > most) {
      const wanted = least === most ? `${least}` : `at least ${least}`
      throw templateError(`wrong number of args for ${name}: want ${wanted} got ${args.length}`)
    }
    return work(args.map((argument) => argument()))
  }

const ANY_NUMBER = Number.POSITIVE_INFINITY

const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  and: (args) => firstThat(args, 'and', (value) => !isTrue(value)),
  or: (args) => firstThat(args, 'or', isTrue),
  not: strict('not', 1, 1, ([value = MISSING]) => truthValue(!isTrue(value))),
  eq: strict('eq', 2, ANY_NUMBER, ([first = MISSING, ...others]) =>
    truthValue(others.some((other) => isEqual(first, other))),
  ),
  ne: strict('ne', 2, 2, ([a = MISSING, b = MISSING]) => truthValue(!isEqual(a, b))),
  lt: strict('lt', 2, 2, ([a = MISSING, b = MISSING]) => truthValue(compare(a, b) < 0)),
  le: strict('le', 2, 2, ([a = MISSING, b = MISSING]) => truthValue(compare(a, b) <= 0)),
  gt: strict('gt', 2, 2, ([a = MISSING, b = MISSING]) => truthValue(compare(a, b) > 0)),
  ge: strict('ge', 2, 2, ([a = MISSING, b = MISSING]) => truthValue(compare(a, b) >= 0)),
  len: strict('len', 1, 1, ([value = MISSING]) => intValue(lengthOf(value))),
  index: strict('index', 1, ANY_NUMBER, ([value = MISSING, ...keys]) =>
    keys.reduce(indexed, value),
  ),
  slice: strict('slice', 1, 4, ([value = MISSING, ...bounds]) => sliced(value, bounds)),
  print: strict('print', 0, ANY_NUMBER, (values) => textValue(printedTogether(values))),
  println: strict('println', 0, ANY_NUMBER, (values) =>
    textValue(`${joined(values, () => true)}\n`),
  ),
  printf: strict('printf', 1, ANY_NUMBER, ([format = MISSING, ...values]) => {
    if (format.type.kind !== 'string') {
      throw templateError(`printf wants a text first, got ${typeName(format.type)}`)
    }
    return textValue(formatted(asText(format), values))
  }),
  html: strict('html', 0, ANY_NUMBER, (values) => textValue(escapedHtml(printedTogether(values)))),
  urlquery: strict('urlquery', 0, ANY_NUMBER, (values) =>
    textValue(escapedQuery(printedTogether(values))),
  ),
}

const NOT_OFFERED: ReadonlySet<string> = new Set(['call', 'js'])

/** @throws IdentityError for one of Go's that is not offered */
export function isFunction(name: string): boolean {
  if (NOT_OFFERED.has(name)) throw templateError(`function "${name}" is not offered`)
  return Object.hasOwn(FUNCTIONS, name)
}

export function callFunction(name: string, args: readonly Argument[]): Value {
  const work = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (work === undefined) throw templateError(`function "${name}" not defined`)
  return work(args)
}

/** The first that decides, or else the last one. */
function firstThat(
  args: readonly Argument[],
  name: string,
  decides: (value: Value) => boolean,
): Value {
  if (args.length === 0)
    throw templateError(`wrong number of args for ${name}: want at least 1 got 0`)
  let value = MISSING
  for (const argument of args) {
    value = argument()
    if (decides(value)) return value
  }
  return value
}

function lengthOf(given: Value): number {
  const value = reached(given, 'len')
  switch (value.type.kind) {
    case 'string':
      return Buffer.byteLength(asText(value))
    case 'list':
      return itemsOf(value, value.type.of).length
    case 'map':
      return keysOf(value).length
    default:
      throw templateError(`len of type ${typeName(value.type)}`)
  }
}

/** @throws IdentityError for nil, which Go's `index`, `slice` and `len` refuse */
function reached(value: Value, name: string): Value {
  const inner = pointedTo(value)
  if (inner === undefined || inner.type.kind === 'missing') throw templateError(`${name} of nil`)
  return inner
}

function indexed(given: Value, key: Value): Value {
  const value = reached(given, 'index')
  const { type } = value
  if (type.kind === 'map') {
    if (key.type.kind !== 'string') {
      throw templateError(`index: value has type ${typeName(key.type)}; should be string`)
    }
    return entryOf(value, type.of, asText(key)) ?? { type: type.of, data: undefined }
  }
  if (type.kind === 'list') {
    const items = itemsOf(value, type.of)
    return items[positionOf(key, items.length - 1)] ?? MISSING
  }
  if (type.kind === 'string') {
    const bytes = Buffer.from(asText(value))
    return intValue(bytes[positionOf(key, bytes.length - 1)] ?? 0)
  }
  throw templateError(`can't index item of type ${typeName(type)}`)
}

function positionOf(key: Value, last: number): number {
  if (key.type.kind !== 'int') {
    throw templateError(`cannot index list or text with type ${typeName(key.type)}`)
  }
  const at = asNumber(key)
  if (at < 0 || at > last) throw templateError(`index out of range: ${at}`)
  return at
}

function sliced(given: Value, bounds: readonly Value[]): Value {
  const value = reached(given, 'slice')
  const { type } = value
  if (type.kind === 'string') {
    if (bounds.length > 2) throw templateError('cannot 3-index slice a string')
    const bytes = Buffer.from(asText(value))
    const [from, to] = rangeOf(bounds, bytes.length)
    return textValue(bytes.subarray(from, to).toString('utf8'))
  }
  if (type.kind !== 'list') throw templateError(`can't slice item of type ${typeName(type)}`)
  const items = Array.isArray(value.data) ? value.data : []
  const [from, to] = rangeOf(bounds, items.length)
  return { type, data: items.slice(from, to) }
}

function rangeOf(bounds: readonly Value[], length: number): readonly [number, number] {
  const [from = 0, to = length] = bounds.map((bound) => positionOf(bound, length))
  if (from > to) throw templateError(`invalid slice index: ${from} > ${to}`)
  return [from, to]
}

/** What an argument of a print function looks like: nil is not the same there as in a template. */
function shown(value: Value): string {
  refusePointer(value)
  return value.type.kind === 'missing' ? '<nil>' : printed(value)
}

/** Spaces between those of which neither is a text, as Go's Sprint. */
function printedTogether(values: readonly Value[]): string {
  return joined(values, (a, b) => a.type.kind !== 'string' && b.type.kind !== 'string')
}

/** @param isApart whether there is a space between two values */
function joined(values: readonly Value[], isApart: (a: Value, b: Value) => boolean): string {
  let text = ''
  for (const [at, value] of values.entries()) {
    const before = values[at - 1]
    text += (before !== undefined && isApart(before, value) ? ' ' : '') + shown(value)
    mustBeShort(text.length)
  }
  return text
}

const HTML: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\uFFFD',
}

function escapedHtml(text: string): string {
  return text.replace(/["'&<>\0]/g, (char) => HTML[char] ?? char)
}

function escapedQuery(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}
