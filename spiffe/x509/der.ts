/**
 * Reads DER, strictly: definite and minimal lengths, nothing beyond the end, no value deeper or longer than it
 * may be. Values are views into the bytes they were read from. There is one way to fail.
 *
 * @see X.690 §8, §10
 */
import { IdentityError } from '../error.ts'

/** One value. */
export interface Element {
  readonly tag: number
  /** Contents, without tag and length. */
  readonly value: Uint8Array
  /** Tag, length and contents. */
  readonly raw: Uint8Array
  /** How many values it lies in. */
  readonly depth: number
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** Larger than any certificate or request; a length beyond it is refused before it is believed. */
const MAX_ELEMENT_BYTES = 1 << 20
/** Certificates need 7. */
const MAX_DEPTH = 16
/** Extensions, names or attributes in one value. */
const MAX_CHILDREN = 1024
/** RFC 5280 §4.1.2.2 allows serial numbers of 20; an RSA modulus of 8192 bits has 1025 with its sign. */
const MAX_INTEGER_BYTES = 1100
const MAX_OID_BYTES = 64
const CONSTRUCTED = 0x20

export function malformed(why: string): IdentityError {
  return new IdentityError('CERTIFICATE_MALFORMED', `malformed DER: ${why}`)
}

/** Reads the value at `offset`. @throws IdentityError CERTIFICATE_MALFORMED */
export function readElement(bytes: Uint8Array, offset = 0, depth = 0): Element {
  const tag = bytes[offset]
  const first = bytes[offset + 1]
  if (tag === undefined || first === undefined) throw malformed('it ends early')
  if ((tag & 0x1f) === 0x1f) throw malformed('it has a multi-byte tag')
  if (depth > MAX_DEPTH) throw malformed(`it is nested deeper than ${MAX_DEPTH}`)
  let length = first
  let start = offset + 2
  if (first >= 0x80) {
    const count = first & 0x7f
    if (count === 0 || count > 3) throw malformed('it has an indefinite or oversized length')
    length = 0
    for (let index = 0; index < count; index++) length = length * 256 + (bytes[start + index] ?? 0)
    start += count
    if (length < 0x80 || length < 256 ** (count - 1)) {
      throw malformed('it has a length that is not minimal')
    }
  }
  if (length > MAX_ELEMENT_BYTES) throw malformed(`it is longer than ${MAX_ELEMENT_BYTES} bytes`)
  if (start + length > bytes.length) throw malformed('it ends early')
  const value = bytes.subarray(start, start + length)
  return { tag, value, raw: bytes.subarray(offset, start + length), depth }
}

/** Reads the one value that the bytes are. @throws IdentityError when anything follows it */
export function readOnly(bytes: Uint8Array, tag: number): Element {
  const element = readElement(bytes)
  expectTag(element, tag)
  if (element.raw.length !== bytes.length) throw malformed('bytes follow its end')
  return element
}

function expectTag(element: Element, tag: number): void {
  if (element.tag !== tag) {
    throw malformed(`it has tag 0x${element.tag.toString(16)}, expected 0x${tag.toString(16)}`)
  }
}

/** The values inside a constructed one. */
export function childrenOf({ tag, value, depth }: Element): readonly Element[] {
  if ((tag & CONSTRUCTED) === 0)
    throw malformed('it has a simple value, expected a constructed one')
  const children: Element[] = []
  for (let offset = 0; offset < value.length; ) {
    if (children.length === MAX_CHILDREN) throw malformed(`it has over ${MAX_CHILDREN} parts`)
    const child = readElement(value, offset, depth + 1)
    children.push(child)
    offset += child.raw.length
  }
  return children
}

/** Walks the children of a value one after another, by expected tag. */
export interface Walk {
  take(tag: number): Element
  /** The next child if it has this tag. */
  maybe(tag: number): Element | undefined
  /** Refuses if a child is left. */
  end(): void
}

export function walk(element: Element): Walk {
  const children = childrenOf(element)
  let next = 0
  const take = (tag: number): Element => {
    const child = children[next]
    if (child === undefined) throw malformed('it lacks a value')
    expectTag(child, tag)
    next++
    return child
  }
  return {
    take,
    maybe: (tag) => (children[next]?.tag === tag ? take(tag) : undefined),
    end() {
      if (next !== children.length) throw malformed('it has a value too many')
    },
  }
}

/** Dotted form of an object identifier. */
export function oidOf(element: Element): string {
  expectTag(element, TAG.oid)
  const { value } = element
  if (value.length > MAX_OID_BYTES) throw malformed(`it has an OID over ${MAX_OID_BYTES} bytes`)
  const arcs: number[] = []
  let arc = 0
  let isFresh = true
  for (const byte of value) {
    if (isFresh && byte === 0x80) throw malformed('it has an OID arc that is not minimal')
    arc = arc * 128 + (byte & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER) throw malformed('it has an oversized OID arc')
    isFresh = byte < 0x80
    if (isFresh) {
      const top = Math.min(Math.floor(arc / 40), 2)
      if (arcs.length === 0) arcs.push(top, arc - top * 40)
      else arcs.push(arc)
      arc = 0
    }
  }
  if (!isFresh || arcs.length === 0) throw malformed('it has a cut-off OID')
  return arcs.join('.')
}

export function booleanOf(element: Element): boolean {
  expectTag(element, TAG.boolean)
  const [byte] = element.value
  if (element.value.length !== 1 || (byte !== 0 && byte !== 0xff)) {
    throw malformed('it has a boolean that is neither 00 nor ff')
  }
  return byte === 0xff
}

/** A non-negative INTEGER. */
export function bigintOf(element: Element): bigint {
  expectTag(element, TAG.integer)
  const { value } = element
  const [first, second] = value
  if (first === undefined) throw malformed('it has an empty integer')
  if (first >= 0x80) throw malformed('it has a negative integer')
  if (first === 0 && second !== undefined && second < 0x80) {
    throw malformed('it has an integer that is not minimal')
  }
  if (value.length > MAX_INTEGER_BYTES) throw malformed('it has an oversized integer')
  return BigInt(`0x${Buffer.from(value).toString('hex')}`)
}

export interface Bits {
  readonly bytes: Uint8Array
  /** How many bits of the last byte do not count; they are zero. */
  readonly unused: number
}

export function bitsOf(element: Element): Bits {
  expectTag(element, TAG.bitString)
  const [unused] = element.value
  const bytes = element.value.subarray(1)
  const last = bytes.at(-1) ?? 0
  if (unused === undefined || unused > 7 || (bytes.length === 0 && unused !== 0)) {
    throw malformed('it has a bit string with an impossible length')
  }
  if ((last & ((1 << unused) - 1)) !== 0) throw malformed('it has a bit string with stray bits')
  return { bytes, unused }
}

/** A BIT STRING of whole bytes. */
export function bitStringOf(element: Element): Uint8Array {
  const { bytes, unused } = bitsOf(element)
  if (unused !== 0) throw malformed('it has a bit string of broken bytes')
  return bytes
}

export function octetsOf(element: Element): Uint8Array {
  expectTag(element, TAG.octetString)
  return element.value
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/

/** @see RFC 5280 §4.1.2.5 — both forms in Zulu, with seconds, without fractions */
export function timeOf(element: Element): Date {
  const isUtc = element.tag === TAG.utcTime
  if (!isUtc) expectTag(element, TAG.generalizedTime)
  const text = Buffer.from(element.value).toString('latin1')
  const match = (isUtc ? UTC_TIME : GENERALIZED_TIME).exec(text)
  if (match === null) throw malformed('it has a time that is not in Zulu form')
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map(Number)
  const full = isUtc ? year + (year < 50 ? 2000 : 1900) : year
  const time = new Date(Date.UTC(full, month - 1, day, hour, minute, second))
  // Years below 100 would be read as 19xx, the 31st of a short month as the 1st of the next.
  const expected = [full, month - 1, day, hour, minute, second]
  const seen = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()]
  seen.push(time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds())
  if (expected.some((part, index) => part !== seen[index])) {
    throw malformed('it has a time that does not exist')
  }
  return time
}
