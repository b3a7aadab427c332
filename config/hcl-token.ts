/**
 * Cuts HCL version 1 into tokens, each with its place. Comments and white space disappear here.
 * Refuses whatever no token begins with, with its line and column.
 */
import { type Scanned, scanHeredoc, scanQuoted } from './hcl-string.ts'
import { refuseAt } from './mistake.ts'
import { type Place, showText } from './tree.ts'

export type Punctuation = '{' | '}' | '[' | ']' | ',' | '='

export type Token =
  | { readonly kind: Punctuation; readonly place: Place }
  /** `text` is what the token stands for: a string without its quotes, a number as written. */
  | {
      readonly kind: 'word' | 'string' | 'number' | 'bool'
      readonly text: string
      readonly place: Place
    }
  | { readonly kind: 'end'; readonly place: Place }

/** A position in a text that only moves forward. */
export interface Cursor {
  readonly file: string
  /** Line ends are `\n`. */
  readonly text: string
  offset: number
  line: number
  lineStart: number
}

export function openCursor(file: string, text: string): Cursor {
  const cursor = { file, text: text.replaceAll('\r\n', '\n'), offset: 0, line: 1, lineStart: 0 }
  const zero = cursor.text.indexOf('\0')
  if (zero === -1) return cursor
  advance(cursor, zero)
  return refuseAt(placeAt(cursor, zero), 'the file holds a zero byte', 'text')
}

const BLANK = /[ \t\n\r]+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\//y
const WORD = /[\p{L}_][\p{L}\p{Nd}_.-]*/uy
const NUMBER = /-?(?:0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)/y
const PUNCTUATION: ReadonlySet<string> = new Set('{}[],=')

/** Moves past the next token. After the last one it answers `end`, however often it is asked. */
export function nextToken(cursor: Cursor): Token {
  for (let blank = matchAt(BLANK, cursor); blank !== ''; blank = matchAt(BLANK, cursor)) {
    advance(cursor, blank.length)
  }
  const place = placeAt(cursor, cursor.offset)
  const char = cursor.text[cursor.offset]
  if (char === undefined) return { kind: 'end', place }
  if (isPunctuation(char)) {
    advance(cursor, 1)
    return { kind: char, place }
  }
  if (char === '"') return textToken(cursor, place, scanQuoted(cursor.text, cursor.offset))
  if (char === '<') return textToken(cursor, place, scanHeredoc(cursor.text, cursor.offset))
  const word = matchAt(WORD, cursor)
  if (word !== '') {
    advance(cursor, word.length)
    return { kind: word === 'true' || word === 'false' ? 'bool' : 'word', text: word, place }
  }
  const number = matchAt(NUMBER, cursor)
  if (number !== '') return numberToken(cursor, place, number)
  if (cursor.text.startsWith('/*', cursor.offset)) {
    return refuseAt(place, 'the comment has no end', '*/')
  }
  if (char === '/') return refuseAt(place, 'unexpected /', '// or /* to begin a comment')
  const seen = String.fromCodePoint(cursor.text.codePointAt(cursor.offset) ?? 0)
  return refuseAt(place, `unexpected character ${showText(seen)}`)
}

function numberToken(cursor: Cursor, place: Place, text: string): Token {
  advance(cursor, text.length)
  if (matchAt(WORD, cursor) !== '' || matchAt(NUMBER, cursor) !== '') {
    refuseAt(place, 'letters follow a number', 'quotes around it, as in "24h"')
  }
  return { kind: 'number', text, place }
}

function textToken(cursor: Cursor, place: Place, scanned: Scanned): Token {
  if (scanned.kind === 'wrong') {
    refuseAt(placeAt(cursor, scanned.offset), scanned.message, scanned.expected)
  }
  advance(cursor, scanned.end - cursor.offset)
  return { kind: 'string', text: scanned.value, place }
}

function matchAt(pattern: RegExp, cursor: Cursor): string {
  pattern.lastIndex = cursor.offset
  return pattern.exec(cursor.text)?.[0] ?? ''
}

function advance(cursor: Cursor, length: number): void {
  const passed = cursor.text.slice(cursor.offset, cursor.offset + length)
  for (let index = passed.indexOf('\n'); index !== -1; index = passed.indexOf('\n', index + 1)) {
    cursor.line += 1
    cursor.lineStart = cursor.offset + index + 1
  }
  cursor.offset += length
}

/** The place of an offset on the cursor's line. */
function placeAt(cursor: Cursor, offset: number): Place {
  return {
    kind: 'file',
    file: cursor.file,
    line: cursor.line,
    column: offset - cursor.lineStart + 1,
  }
}

function isPunctuation(char: string): char is Punctuation {
  return PUNCTUATION.has(char)
}
