/**
 * The head of an HTTP/1 message, while it is read and after: offsets into the bytes as they came, and no object for a header.
 * What the lines mean (`HeadMeaning`) differs between requests and responses; how they are read (`read-head.ts`) does not.
 */
import { sameText, textOf, UNDERSCORE } from '../http/characters.ts'

/** Why a message is refused, and what its sender is told; for a response the status is not used. */
export interface HeadRefusal {
  readonly status: 400 | 431 | 501 | 505
  readonly reason: string
}

/** More bytes are needed. */
export const INCOMPLETE = -1
/** `Head.refusal` says why. */
export const REFUSED = -2

/** Numbers kept for each header line: start and end of its name, start and end of its value. */
export const SLOTS = 4

/** Where reading stands within the current line. */
type Mode = 'first' | 'first-lf' | 'name' | 'padding' | 'value' | 'value-lf' | 'end-lf'

/** What a head means beyond its lines is up to these; the first three return a refusal or nothing. */
export interface HeadMeaning<Fields> {
  firstLine(head: Head<Fields>, from: number, to: number): HeadRefusal | undefined
  /** Called for each line, with its position among `slots`. */
  header(head: Head<Fields>, line: number): HeadRefusal | undefined
  /** Called at the end of a head. */
  complete(head: Head<Fields>): HeadRefusal | undefined
  readonly blankLinesBefore: boolean
  /** @returns those of an empty head */
  clear(fields: Fields): void
  /** The bytes now stand `by` places further to the front, and so does every offset among the fields. */
  shift(fields: Fields, by: number): void
}

export interface HeadBounds {
  readonly headBytes: number
  readonly headers: number
}

/** A head being read, or one that was; reused for all messages of a connection. All offsets refer to `bytes`. */
export interface Head<Fields> {
  readonly meaning: HeadMeaning<Fields>
  readonly bounds: HeadBounds
  readonly fields: Fields
  bytes: Buffer
  /** First byte of the first line. */
  start: number
  /** First byte of the first header line. */
  firstHeader: number
  /** First byte of the empty line, once complete. */
  blank: number
  /** First byte after the head, once complete. */
  end: number
  lines: number
  slots: Int32Array
  refusal: HeadRefusal | undefined
  /** Bytes of `bytes` that are filled, when they are our own copy; 0 while they are the chunk itself. */
  held: number
  mode: Mode
  at: number
  nameStart: number
  nameEnd: number
  nameBits: number
  valueStart: number
  blanksSkipped: number
}

const NOTHING = Buffer.alloc(0)
const FEW_LINES = 16

export function newHead<Fields>(
  meaning: HeadMeaning<Fields>,
  bounds: HeadBounds,
  fields: Fields,
): Head<Fields> {
  const head: Head<Fields> = {
    meaning,
    bounds,
    fields,
    bytes: NOTHING,
    start: 0,
    firstHeader: 0,
    blank: 0,
    end: 0,
    lines: 0,
    slots: new Int32Array(Math.min(FEW_LINES, bounds.headers) * SLOTS),
    refusal: undefined,
    held: 0,
    mode: 'first',
    at: 0,
    nameStart: 0,
    nameEnd: 0,
    nameBits: 0,
    valueStart: 0,
    blanksSkipped: 0,
  }
  clearHead(head)
  return head
}

/** Makes ready for the next message, and lets go of the bytes of the last. */
export function clearHead<Fields>(head: Head<Fields>): void {
  head.bytes = NOTHING
  head.start = 0
  head.lines = 0
  head.refusal = undefined
  head.held = 0
  head.mode = 'first'
  head.at = 0
  head.nameBits = 0
  head.blanksSkipped = 0
  head.meaning.clear(head.fields)
}

/** Has any byte of the next message arrived? */
export function headBegun<Fields>(head: Head<Fields>): boolean {
  return head.held > 0
}

/** Does the name of a header line, with `_` read as `-`, differ from itself? */
export function hasUnderscore<Fields>(head: Head<Fields>): boolean {
  return (head.nameBits & UNDERSCORE) !== 0
}

export function isNamed<Fields>(head: Head<Fields>, line: number, lowerName: string): boolean {
  const slot = line * SLOTS
  return sameText(head.bytes, head.slots[slot] ?? 0, head.slots[slot + 1] ?? 0, lowerName)
}

/** The name of a line as it was sent. */
export function headerName<Fields>(head: Head<Fields>, line: number): string {
  const slot = line * SLOTS
  return head.bytes.toString('latin1', head.slots[slot] ?? 0, head.slots[slot + 1] ?? 0)
}

/** The value of a line. */
export function headerValue<Fields>(head: Head<Fields>, line: number): string {
  const slot = line * SLOTS
  return textOf(head.bytes, head.slots[slot + 2] ?? 0, head.slots[slot + 3] ?? 0)
}
