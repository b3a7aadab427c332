/**
 * JSON with one meaning: an object that has a key twice is refused, where `JSON.parse` would quietly take the
 * last. Numbers, strings and literals are as in RFC 8259.
 *
 * @see SPIFFE-Trust-Domain-and-Bundle §4.3 — keys of a bundle map are unique
 */
import { IdentityError } from '../error.ts'

export type Json = string | number | boolean | null | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [key: string]: Json
}

/** A bundle document needs 4. */
const MAX_DEPTH = 16

const SPACE = /[\t\n\r ]*/y
/** Where a string ends; what is in it `JSON.parse` judges. */
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/y
const PLAIN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

interface Cursor {
  readonly text: string
  at: number
}

/** @throws IdentityError BUNDLE_MALFORMED naming the offset of the first mistake */
export function parseStrictJson(text: string): Json {
  const cursor: Cursor = { text, at: 0 }
  const value = readValue(cursor, 0)
  if (cursor.at !== text.length) throw unexpected(cursor, 'the end')
  return value
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readValue(cursor: Cursor, depth: number): Json {
  if (depth > MAX_DEPTH) {
    throw new IdentityError('BUNDLE_MALFORMED', `JSON is nested deeper than ${MAX_DEPTH}`)
  }
  match(cursor, SPACE)
  const next = cursor.text[cursor.at]
  const value =
    next === '{'
      ? readObject(cursor, depth)
      : next === '['
        ? readArray(cursor, depth)
        : next === '"'
          ? readString(cursor)
          : readPlain(cursor)
  match(cursor, SPACE)
  return value
}

function readObject(cursor: Cursor, depth: number): JsonObject {
  const members = new Map<string, Json>()
  cursor.at++
  match(cursor, SPACE)
  if (take(cursor, '}')) return {}
  do {
    match(cursor, SPACE)
    const key = readString(cursor)
    if (members.has(key)) {
      throw new IdentityError('BUNDLE_MALFORMED', `JSON has the key ${JSON.stringify(key)} twice`)
    }
    match(cursor, SPACE)
    if (!take(cursor, ':')) throw unexpected(cursor, 'a colon')
    members.set(key, readValue(cursor, depth + 1))
  } while (take(cursor, ','))
  if (!take(cursor, '}')) throw unexpected(cursor, 'a comma or }')
  return Object.fromEntries(members)
}

function readArray(cursor: Cursor, depth: number): readonly Json[] {
  const items: Json[] = []
  cursor.at++
  match(cursor, SPACE)
  if (take(cursor, ']')) return items
  do items.push(readValue(cursor, depth + 1))
  while (take(cursor, ','))
  if (!take(cursor, ']')) throw unexpected(cursor, 'a comma or ]')
  return items
}

function readString(cursor: Cursor): string {
  const literal = match(cursor, STRING)
  if (literal === undefined) throw unexpected(cursor, 'a string')
  try {
    return String(JSON.parse(literal))
  } catch {
    throw new IdentityError('BUNDLE_MALFORMED', `not JSON: bad string before offset ${cursor.at}`)
  }
}

function readPlain(cursor: Cursor): number | boolean | null {
  const literal = match(cursor, PLAIN)
  if (literal === undefined) throw unexpected(cursor, 'a value')
  // The pattern admits nothing else.
  return JSON.parse(literal) as number | boolean | null
}

function match(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at
  const found = pattern.exec(cursor.text)?.[0]
  if (found !== undefined) cursor.at += found.length
  return found
}

function take(cursor: Cursor, character: string): boolean {
  if (cursor.text[cursor.at] !== character) return false
  cursor.at++
  return true
}

function unexpected({ text, at }: Cursor, wanted: string): IdentityError {
  const seen = at < text.length ? JSON.stringify(text[at]) : 'the end'
  return new IdentityError(
    'BUNDLE_MALFORMED',
    `not JSON: expected ${wanted} at offset ${at}, found ${seen}`,
  )
}
