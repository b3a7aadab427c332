/**
 * Reads the head of an HTTP/1 message from bytes as they arrive, strictly: what two implementations could read in two ways is
 * refused. Nothing is copied while a head lies in one chunk.
 * Guarantees: however the bytes are split, the outcome is the same; each byte is looked at once; memory is bounded by `headBytes`.
 * @see RFC 9112 §2.2 line ends, §5 field syntax, §5.2 obs-fold
 */
import { CLASS, TOKEN, VALUE } from '../http/characters.ts'
import { type Head, INCOMPLETE, REFUSED, SLOTS } from './head.ts'

/** Empty lines before a request line; RFC 9112 §2.2 lets us skip some. */
const MAX_BLANK_LINES = 2

const CR = 0x0d
const LF = 0x0a
const COLON = 0x3a
const SPACE = 0x20
const TAB = 0x09

/**
 * Reads on.
 * @returns the offset in `chunk` of the first byte after the head, `INCOMPLETE` or `REFUSED`
 */
export function readHead<Fields>(head: Head<Fields>, chunk: Buffer, from: number): number {
  if (head.held === 0) {
    head.bytes = chunk
    head.start = from
    head.at = from
    const outcome = readLines(head, chunk.length)
    if (outcome === INCOMPLETE) hold(head)
    return outcome
  }
  const before = head.held
  append(head, chunk, from)
  const outcome = readLines(head, head.held)
  return outcome < 0 ? outcome : from + outcome - before
}

/** The chunk ended within the head: keeps a copy of what there is of it, and shifts what is known. */
function hold<Fields>(head: Head<Fields>): void {
  const { bytes, start } = head
  const length = bytes.length - start
  if (length === 0) return
  const copy = Buffer.allocUnsafeSlow(Math.max(1024, length * 2))
  bytes.copy(copy, 0, start)
  head.bytes = copy
  head.held = length
  head.start = 0
  head.at -= start
  head.firstHeader -= start
  head.nameStart -= start
  head.nameEnd -= start
  head.valueStart -= start
  for (let slot = 0; slot < head.lines * SLOTS; slot += 1) {
    head.slots[slot] = (head.slots[slot] ?? 0) - start
  }
  head.meaning.shift(head.fields, start)
}

/** At most one byte beyond the bound is kept: it is what shows that the bound is exceeded. */
function append<Fields>(head: Head<Fields>, chunk: Buffer, from: number): void {
  const room = head.start + head.bounds.headBytes + 1 - head.held
  const length = Math.min(chunk.length - from, Math.max(room, 0))
  if (head.held + length > head.bytes.length) {
    const grown = Buffer.allocUnsafeSlow((head.held + length) * 2)
    head.bytes.copy(grown, 0, 0, head.held)
    head.bytes = grown
  }
  chunk.copy(head.bytes, head.held, from, from + length)
  head.held += length
}

function refuse<Fields>(head: Head<Fields>, reason: string, status: 400 | 431 = 400): number {
  head.refusal = { status, reason }
  return REFUSED
}

/** @returns the offset after the head, `INCOMPLETE` or `REFUSED` */
function readLines<Fields>(head: Head<Fields>, filled: number): number {
  for (;;) {
    const stop = Math.min(filled, head.start + head.bounds.headBytes)
    const outcome = step(head, stop)
    if (outcome === INCOMPLETE && stop === head.start + head.bounds.headBytes) {
      return refuse(head, `the head has more than ${head.bounds.headBytes} bytes`, 431)
    }
    if (outcome !== GO_ON) return outcome
  }
}

/** The mode changed, and there may be more to read. */
const GO_ON = -3

function step<Fields>(head: Head<Fields>, stop: number): number {
  if (head.at >= stop) return INCOMPLETE
  switch (head.mode) {
    case 'first':
      return readFirstLine(head, stop)
    case 'first-lf':
      return endFirstLine(head)
    case 'name':
      return readName(head, stop)
    case 'padding':
      return skipPadding(head, stop)
    case 'value':
      return readValue(head, stop)
    case 'value-lf':
      return endHeader(head)
    case 'end-lf':
      return endHead(head)
    default:
      return head.mode satisfies never
  }
}

function readFirstLine<Fields>(head: Head<Fields>, stop: number): number {
  const { bytes } = head
  let at = head.at
  while (at < stop && ((CLASS[bytes[at] as number] as number) & VALUE) !== 0) at += 1
  head.at = at
  if (at === stop) return INCOMPLETE
  if (bytes[at] !== CR) return refuse(head, `the first line has ${nameOfByte(bytes[at])}`)
  head.at = at + 1
  head.mode = 'first-lf'
  return GO_ON
}

function endFirstLine<Fields>(head: Head<Fields>): number {
  if (head.bytes[head.at] !== LF) return refuse(head, 'the first line has a CR without LF')
  const to = head.at - 1
  head.at += 1
  if (to === head.start && head.meaning.blankLinesBefore) {
    head.blanksSkipped += 1
    if (head.blanksSkipped > MAX_BLANK_LINES)
      return refuse(head, 'empty lines instead of a request')
    head.start = head.at
    head.mode = 'first'
    return GO_ON
  }
  head.refusal = head.meaning.firstLine(head, head.start, to)
  if (head.refusal !== undefined) return REFUSED
  head.firstHeader = head.at
  return nextLine(head)
}

function nextLine<Fields>(head: Head<Fields>): number {
  head.nameStart = head.at
  head.nameBits = 0
  head.mode = 'name'
  return GO_ON
}

function readName<Fields>(head: Head<Fields>, stop: number): number {
  const { bytes } = head
  let at = head.at
  let bits = head.nameBits
  for (; at < stop; at += 1) {
    const found = CLASS[bytes[at] as number] as number
    if ((found & TOKEN) === 0) break
    bits |= found
  }
  head.at = at
  head.nameBits = bits
  if (at === stop) return INCOMPLETE
  const byte = bytes[at]
  if (byte === COLON && at > head.nameStart) {
    head.nameEnd = at
    head.at = at + 1
    head.mode = 'padding'
    return GO_ON
  }
  if (at > head.nameStart) return refuse(head, `a header name has ${nameOfByte(byte)}`)
  if (byte === CR) {
    head.blank = at
    head.at = at + 1
    head.mode = 'end-lf'
    return GO_ON
  }
  if (byte === SPACE || byte === TAB) return refuse(head, 'a header line begins with white space')
  return refuse(head, `a header line begins with ${nameOfByte(byte)}`)
}

function skipPadding<Fields>(head: Head<Fields>, stop: number): number {
  const { bytes } = head
  let at = head.at
  while (at < stop && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1
  head.at = at
  if (at === stop) return INCOMPLETE
  head.valueStart = at
  head.mode = 'value'
  return GO_ON
}

function readValue<Fields>(head: Head<Fields>, stop: number): number {
  const { bytes } = head
  let at = head.at
  while (at < stop && ((CLASS[bytes[at] as number] as number) & VALUE) !== 0) at += 1
  head.at = at
  if (at === stop) return INCOMPLETE
  if (bytes[at] !== CR) return refuse(head, `a header value has ${nameOfByte(bytes[at])}`)
  head.at = at + 1
  head.mode = 'value-lf'
  return GO_ON
}

function endHeader<Fields>(head: Head<Fields>): number {
  const { bytes } = head
  if (bytes[head.at] !== LF) return refuse(head, 'a header value has a CR without LF')
  let end = head.at - 1
  head.at += 1
  while (end > head.valueStart && (bytes[end - 1] === SPACE || bytes[end - 1] === TAB)) end -= 1
  const line = head.lines
  if (line >= head.bounds.headers) {
    return refuse(head, `the head has more than ${head.bounds.headers} header lines`, 431)
  }
  const slot = line * SLOTS
  if (slot >= head.slots.length) growSlots(head)
  head.slots[slot] = head.nameStart
  head.slots[slot + 1] = head.nameEnd
  head.slots[slot + 2] = head.valueStart
  head.slots[slot + 3] = end
  head.lines = line + 1
  head.refusal = head.meaning.header(head, line)
  return head.refusal === undefined ? nextLine(head) : REFUSED
}

function growSlots<Fields>(head: Head<Fields>): void {
  const slots = new Int32Array(Math.min(head.slots.length * 2, head.bounds.headers * SLOTS))
  slots.set(head.slots)
  head.slots = slots
}

function endHead<Fields>(head: Head<Fields>): number {
  if (head.bytes[head.at] !== LF) return refuse(head, 'the empty line has a CR without LF')
  head.end = head.at + 1
  head.refusal = head.meaning.complete(head)
  return head.refusal === undefined ? head.end : REFUSED
}

function nameOfByte(byte: number | undefined): string {
  if (byte === LF) return 'a LF without CR'
  if (byte === SPACE || byte === TAB) return 'white space'
  if (byte === CR) return 'a CR'
  return `the byte 0x${(byte ?? 0).toString(16).padStart(2, '0')}`
}
