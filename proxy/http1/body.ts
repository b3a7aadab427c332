/**
 * Follows a body to its end without changing a byte. Strict about chunks, since whoever reads them next must find the same end.
 * Guarantees: however the bytes are split, the outcome is the same; nothing of the body is kept but the name of a trailer line.
 * @see RFC 9112 §7.1 chunked
 */
import { CLASS, hexValue, TOKEN, VALUE } from '../http/characters.ts'
import { isForbiddenInTrailer } from '../http/reserved-names.ts'
import type { Framing } from './framing.ts'
import type { HeadBounds } from './head.ts'

/** More of the body is to come. */
export const MORE = -1
/** `Body.refusal` says why; the message cannot be finished. */
export const BROKEN = -2

/** 16^12 bytes; a size of more digits is an attack on somebody's integers. */
const MAX_SIZE_DIGITS = 12
/** Bytes of the extension of one chunk. Nobody needs them; endless ones are an attack. */
const MAX_EXTENSION_BYTES = 256
/** Longest trailer name that is compared with the reserved ones; a longer one is refused. */
const MAX_TRAILER_NAME_BYTES = 256

const CR = 0x0d
const LF = 0x0a
const COLON = 0x3a
const SEMICOLON = 0x3b
const EQUALS = 0x3d

type State =
  | 'data'
  | 'until-close'
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'chunk'
  | 'chunk-cr'
  | 'chunk-lf'
  | 'trailer'
  | 'trailer-name'
  | 'trailer-value'
  | 'trailer-lf'
  | 'end-lf'
  | 'over'

/** A body being followed; reused for all messages of one direction of a connection. */
export interface Body {
  readonly bounds: HeadBounds
  readonly ofRequest: boolean
  state: State
  /** Bytes left of the body or the chunk; while a size is read, that size. */
  left: number
  digits: number
  extensionBytes: number
  extensionLast: number
  trailerBytes: number
  trailerLines: number
  trailerName: string
  refusal: string | undefined
}

export function newBody(bounds: HeadBounds, ofRequest: boolean): Body {
  return {
    bounds,
    ofRequest,
    state: 'over',
    left: 0,
    digits: 0,
    extensionBytes: 0,
    extensionLast: 0,
    trailerBytes: 0,
    trailerLines: 0,
    trailerName: '',
    refusal: undefined,
  }
}

export function beginBody(body: Body, framing: Framing): void {
  body.refusal = undefined
  switch (framing.kind) {
    case 'none':
      body.state = 'over'
      return
    case 'length':
      body.state = 'data'
      body.left = framing.bytes
      return
    case 'chunked':
      body.trailerBytes = 0
      body.trailerLines = 0
      beginSize(body)
      return
    case 'until-close':
      body.state = 'until-close'
      return
    default:
      framing satisfies never
  }
}

export function isOver(body: Body): boolean {
  return body.state === 'over'
}

function beginSize(body: Body): void {
  body.state = 'size'
  body.left = 0
  body.digits = 0
  body.extensionBytes = 0
}

/** @returns the offset of the first byte after the body, `MORE` when all of `bytes` belongs to it, or `BROKEN` */
export function followBody(body: Body, bytes: Uint8Array, from: number): number {
  let at = from
  while (body.state !== 'over') {
    if (at >= bytes.length) return MORE
    if (body.state === 'until-close') return MORE
    if (body.state === 'data' || body.state === 'chunk') {
      const taken = Math.min(body.left, bytes.length - at)
      at += taken
      body.left -= taken
      if (body.left > 0) return MORE
      body.state = body.state === 'data' ? 'over' : 'chunk-cr'
    } else {
      followByte(body, bytes[at] ?? 0)
      if (body.refusal !== undefined) return BROKEN
      at += 1
    }
  }
  return at
}

function followByte(body: Body, byte: number): void {
  switch (body.state) {
    case 'size':
      followSize(body, byte)
      return
    case 'extension':
      followExtension(body, byte)
      return
    case 'size-lf':
      expectByte(body, byte, LF, body.left > 0 ? 'chunk' : 'trailer')
      return
    case 'chunk-cr':
      expectByte(body, byte, CR, 'chunk-lf')
      return
    case 'chunk-lf':
      expectByte(body, byte, LF, 'size')
      if (body.refusal === undefined) beginSize(body)
      return
    default:
      followTrailer(body, byte)
  }
}

function expectByte(body: Body, byte: number, expected: number, next: State): void {
  if (byte === expected) body.state = next
  else body.refusal = 'a chunk does not end where it must'
}

function followSize(body: Body, byte: number): void {
  const digit = hexValue(byte)
  if (digit >= 0) {
    body.digits += 1
    body.left = body.left * 16 + digit
    if (body.digits > MAX_SIZE_DIGITS) body.refusal = 'a chunk size has too many digits'
  } else if (body.digits === 0) body.refusal = 'a chunk size is missing'
  else if (byte === CR) body.state = 'size-lf'
  else if (byte === SEMICOLON) {
    body.state = 'extension'
    body.extensionLast = SEMICOLON
  } else body.refusal = 'a chunk size has something other than digits'
}

/** `;name` or `;name=token`, without white space or quotes: the part of the grammar that everybody reads alike. */
function followExtension(body: Body, byte: number): void {
  const afterToken = body.extensionLast !== SEMICOLON && body.extensionLast !== EQUALS
  body.extensionBytes += 1
  if (body.extensionBytes > MAX_EXTENSION_BYTES) body.refusal = 'a chunk extension is too long'
  else if (((CLASS[byte] ?? 0) & TOKEN) !== 0) body.extensionLast = byte
  else if (!afterToken) body.refusal = 'a chunk extension is malformed'
  else if (byte === CR) body.state = 'size-lf'
  else if (byte === SEMICOLON || byte === EQUALS) body.extensionLast = byte
  else body.refusal = 'a chunk extension is malformed'
}

function followTrailer(body: Body, byte: number): void {
  body.trailerBytes += 1
  if (body.trailerBytes > body.bounds.headBytes) body.refusal = 'the trailer is too long'
  else if (body.state === 'trailer') beginTrailerLine(body, byte)
  else if (body.state === 'trailer-name') followTrailerName(body, byte)
  else if (body.state === 'trailer-value') {
    if (byte === CR) body.state = 'trailer-lf'
    else if (((CLASS[byte] ?? 0) & VALUE) === 0) body.refusal = 'a trailer value is malformed'
  } else if (byte !== LF) body.refusal = 'a trailer line has a CR without LF'
  else body.state = body.state === 'end-lf' ? 'over' : 'trailer'
}

function beginTrailerLine(body: Body, byte: number): void {
  if (byte === CR) {
    body.state = 'end-lf'
    return
  }
  body.trailerLines += 1
  body.trailerName = ''
  body.state = 'trailer-name'
  if (body.trailerLines > body.bounds.headers) body.refusal = 'the trailer has too many lines'
  else followTrailerName(body, byte)
}

function followTrailerName(body: Body, byte: number): void {
  if (((CLASS[byte] ?? 0) & TOKEN) !== 0) {
    body.trailerName += String.fromCharCode(byte)
    if (body.trailerName.length > MAX_TRAILER_NAME_BYTES)
      body.refusal = 'a trailer name is too long'
  } else if (byte !== COLON || body.trailerName === '') body.refusal = 'a trailer name is malformed'
  else if (isForbiddenInTrailer(body.trailerName.toLowerCase(), body.ofRequest)) {
    body.refusal = `the header ${body.trailerName.toLowerCase()} stands in a trailer`
  } else body.state = 'trailer-value'
}
