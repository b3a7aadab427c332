/**
 * Which bytes may stand where in a head, as one table of bits; whatever is in no class is refused, never repaired.
 * @see RFC 9110 §5.6.2 token, §5.5 field value; RFC 3986 §3.2.2 host
 */

/** Letters, digits and ``!#$%&'*+-.^_`|~``: methods and header names. */
export const TOKEN = 1
/** Visible ASCII, space, tab and bytes from 0x80 on: header values and reason phrases. */
export const VALUE = 2
/** Visible ASCII: request targets. Anything else must be percent-encoded. */
export const TARGET = 4
/** Host names, addresses and ports, `[` and `]` included; no comma, no user information. */
export const HOST = 8
/** `_` alone: applications that turn it into `-` read another name than we judged. */
export const UNDERSCORE = 16

export const CLASS = classes()

function classes(): Uint8Array {
  const table = new Uint8Array(256)
  for (let byte = 0x21; byte < 0x7f; byte += 1) mark(table, byte, VALUE | TARGET)
  for (let byte = 0x80; byte <= 0xff; byte += 1) mark(table, byte, VALUE)
  for (const byte of [0x09, 0x20]) mark(table, byte, VALUE)
  const alphanumeric = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  for (const byte of Buffer.from(`${alphanumeric}!#$%&'*+-.^_\`|~`)) mark(table, byte, TOKEN)
  for (const byte of Buffer.from(`${alphanumeric}-._~!$&'()*+;=%:[]`)) mark(table, byte, HOST)
  mark(table, 0x5f, UNDERSCORE)
  return table
}

function mark(table: Uint8Array, byte: number, bits: number): void {
  table[byte] = (table[byte] ?? 0) | bits
}

/** Value of a hexadecimal digit, or -1. */
export function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** Is this stretch of `bytes`, in any case, `lower`, which is ASCII in lower case? */
export function sameText(bytes: Uint8Array, from: number, to: number, lower: string): boolean {
  if (to - from !== lower.length) return false
  for (let at = 0; at < lower.length; at += 1) {
    const byte = bytes[from + at] ?? 0
    const small = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    if (small !== lower.charCodeAt(at)) return false
  }
  return true
}

const NON_ASCII = /[\x80-\xff]/

/** Text of bytes from outside: UTF-8, as policies are written, since nearly all of it is ASCII by way of Latin-1. */
export function textOf(bytes: Buffer, from: number, to: number): string {
  const text = bytes.toString('latin1', from, to)
  return NON_ASCII.test(text) ? bytes.toString('utf8', from, to) : text
}
