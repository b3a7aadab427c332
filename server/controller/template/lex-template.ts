/**
 * Cuts a Go template into texts and actions, and an action into its words. Trim markers are applied and comments are
 * gone afterwards.
 *
 * @see https://pkg.go.dev/text/template — Text and spaces, Actions
 */
import { templateError } from './template-error.ts'

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly words: readonly Word[] }

export type Word =
  /** Ends an argument. */
  | { readonly kind: 'space' }
  | { readonly kind: 'sign'; readonly sign: '|' | '(' | ')' | ':=' | '=' | ',' }
  | { readonly kind: 'dot' }
  /** `.Name`, and whether something stands directly before it. */
  | { readonly kind: 'field'; readonly name: string }
  /** `$` or `$name`; the name is without the dollar. */
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly number: number; readonly isWhole: boolean }

/** Characters; upstream has no bound, and the longest template anybody needs fits in one line. */
export const MAX_TEMPLATE_LENGTH = 16_384

const OPEN = '{{'
const CLOSE = '}}'
const SPACES = ' \t\r\n'

/** @throws IdentityError REQUEST_INVALID for what Go's parser refuses as well */
export function lexTemplate(text: string): readonly Piece[] {
  if (text.length > MAX_TEMPLATE_LENGTH) {
    throw templateError(`the template is longer than ${MAX_TEMPLATE_LENGTH} characters`)
  }
  const pieces: Piece[] = []
  let at = 0
  let trimsNext = false
  while (at < text.length) {
    const open = text.indexOf(OPEN, at)
    const until = open === -1 ? text.length : open
    let plain = text.slice(at, until)
    if (trimsNext) plain = plain.replace(/^[ \t\r\n]+/, '')
    const inside = until + OPEN.length
    const trimsBefore = open !== -1 && text[inside] === '-' && isSpace(text[inside + 1])
    if (trimsBefore) plain = trimEnd(plain)
    if (plain !== '') pieces.push({ kind: 'text', text: plain })
    if (open === -1) return pieces
    const action = lexAction(text, trimsBefore ? inside + 2 : inside)
    if (action.words !== undefined) pieces.push({ kind: 'action', words: action.words })
    at = action.end
    trimsNext = action.trimsNext
  }
  return pieces
}

function trimEnd(text: string): string {
  let end = text.length
  while (end > 0 && isSpace(text[end - 1])) end -= 1
  return text.slice(0, end)
}

function isSpace(char: string | undefined): boolean {
  return char !== undefined && SPACES.includes(char)
}

interface Action {
  /** Undefined for a comment. */
  readonly words: readonly Word[] | undefined
  readonly end: number
  readonly trimsNext: boolean
}

function lexAction(text: string, from: number): Action {
  // Go takes a comment only right behind the braces, or behind the one space of a trim marker.
  if (text.startsWith('/*', from)) return lexComment(text, from + 2)
  const words: Word[] = []
  let at = from
  for (;;) {
    const trims = isSpace(text[at]) && text.startsWith('-}}', skipSpaces(text, at))
    if (trims) return { words, end: skipSpaces(text, at) + 3, trimsNext: true }
    if (text.startsWith(CLOSE, at)) return { words, end: at + CLOSE.length, trimsNext: false }
    if (at >= text.length) throw templateError('unclosed action: }} is missing')
    const next = lexWord(text, at)
    words.push(next.word)
    at = next.end
  }
}

function lexComment(text: string, from: number): Action {
  const end = text.indexOf('*/', from)
  if (end === -1) throw templateError('unclosed comment')
  const close = /^([ \t\r\n]-)?}}/.exec(text.slice(end + 2))
  if (close === null) throw templateError('comment ends before closing delimiter')
  return {
    words: undefined,
    end: end + 2 + close[0].length,
    trimsNext: close[1] !== undefined,
  }
}

function skipSpaces(text: string, from: number): number {
  let at = from
  while (isSpace(text[at])) at += 1
  return at
}

const NAME = /[\p{L}_][\p{L}\p{Nd}_]*/uy
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+(?![.eE\d])|0[bB][01_]+|[\d_]*\.?[\d_]*(?:[eE][+-]?\d+)?)/y
const SIGNS = [':=', '=', '|', '(', ')', ','] as const

function lexWord(text: string, at: number): { readonly word: Word; readonly end: number } {
  const char = text[at] ?? ''
  if (isSpace(char)) return { word: { kind: 'space' }, end: skipSpaces(text, at) }
  const sign = SIGNS.find((one) => text.startsWith(one, at))
  if (sign !== undefined) return { word: { kind: 'sign', sign }, end: at + sign.length }
  if (char === '"') return lexQuoted(text, at)
  if (char === '`') return lexRaw(text, at)
  if (char === "'") return lexCharacter(text, at)
  if (char === '.' && !/\d/.test(text[at + 1] ?? '')) {
    const name = nameAt(text, at + 1)
    if (name === '') return { word: { kind: 'dot' }, end: at + 1 }
    return { word: { kind: 'field', name }, end: at + 1 + name.length }
  }
  if (char === '$') {
    const name = nameAt(text, at + 1)
    return { word: { kind: 'variable', name }, end: at + 1 + name.length }
  }
  if (/[\d.+-]/.test(char)) return lexNumber(text, at)
  const name = nameAt(text, at)
  if (name === '') throw templateError(`unexpected ${JSON.stringify(char)} in action`)
  return { word: { kind: 'name', name }, end: at + name.length }
}

function nameAt(text: string, at: number): string {
  NAME.lastIndex = at
  return NAME.exec(text)?.[0] ?? ''
}

function lexNumber(text: string, at: number) {
  NUMBER.lastIndex = at
  const written = NUMBER.exec(text)?.[0] ?? ''
  const after = text[at + written.length] ?? ''
  const plain = written.replaceAll('_', '').replace(/^\+/, '')
  const isOctal = /^-?0\d+$/.test(plain)
  const number = isOctal ? Number.parseInt(plain, 8) : readNumber(plain)
  if (!/\d/.test(written) || !Number.isFinite(number) || /[\p{L}\d_]/u.test(after)) {
    throw templateError(`bad number syntax: ${JSON.stringify((written + after).slice(0, 32))}`)
  }
  const isWhole = /^-?0[xX]/.test(plain) || !/[.eE]/.test(plain)
  const isBadOctal = isOctal && /[89]/.test(plain)
  if ((isWhole && !Number.isSafeInteger(number)) || isBadOctal) {
    throw templateError(`integer overflow: ${written}`)
  }
  return { word: { kind: 'number', number, isWhole } as const, end: at + written.length }
}

function readNumber(text: string): number {
  return text.startsWith('-') ? -Number(text.slice(1)) : Number(text)
}

function lexRaw(text: string, at: number) {
  const end = text.indexOf('`', at + 1)
  if (end === -1) throw templateError('unterminated raw quoted string')
  const raw = text.slice(at + 1, end).replaceAll('\r', '')
  return { word: { kind: 'text', text: raw } as const, end: end + 1 }
}

function lexQuoted(text: string, at: number) {
  const bytes: Buffer[] = []
  let next = at + 1
  for (;;) {
    const char = text[next]
    if (char === undefined || char === '\n') throw templateError('unterminated quoted string')
    if (char === '"') break
    const one = lexUnit(text, next, '"')
    bytes.push(one.bytes)
    next = one.end
  }
  const word = { kind: 'text', text: Buffer.concat(bytes).toString('utf8') } as const
  return { word, end: next + 1 }
}

function lexCharacter(text: string, at: number) {
  const one = lexUnit(text, at + 1, "'")
  if (text[one.end] !== "'") throw templateError('malformed character constant')
  const number = one.bytes.toString('utf8').codePointAt(0) ?? 0
  return { word: { kind: 'number', number, isWhole: true } as const, end: one.end + 1 }
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}

/** One character or escape of a quoted text. */
function lexUnit(text: string, at: number, quote: string) {
  const char = String.fromCodePoint(text.codePointAt(at) ?? 0)
  if (char !== '\\') return { bytes: Buffer.from(char), end: at + char.length }
  const escaped = text[at + 1] ?? ''
  if (escaped === quote) return { bytes: Buffer.from(quote), end: at + 2 }
  const simple = Object.hasOwn(ESCAPES, escaped) ? ESCAPES[escaped] : undefined
  if (simple !== undefined) return { bytes: Buffer.from(simple), end: at + 2 }
  const rest = text.slice(at + 1, at + 10)
  const byte = /^(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2}))/.exec(rest)
  if (byte !== null) {
    const value = byte[1] ? Number.parseInt(byte[1], 16) : Number.parseInt(byte[2] ?? '', 8)
    return { bytes: Buffer.from([value]), end: at + 1 + byte[0].length }
  }
  const point = /^(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(rest)
  const value = point === null ? Number.NaN : Number.parseInt(point[1] ?? point[2] ?? '', 16)
  if (!(value <= 0x10ffff) || (value >= 0xd800 && value <= 0xdfff)) {
    throw templateError(`unknown escape in a text: \\${escaped}`)
  }
  return { bytes: Buffer.from(String.fromCodePoint(value)), end: at + 1 + (point?.[0].length ?? 0) }
}
