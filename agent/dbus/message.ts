/**
 * D-Bus messages, as far as asking a service for its properties needs them: method calls with numbers and texts are
 * written, and replies are read strictly. Pure. What is not as the specification has it is refused, never guessed.
 *
 * @see https://dbus.freedesktop.org/doc/dbus-specification.html — message protocol
 */
import { IdentityError } from '../../spiffe/error.ts'

export type CallArgument =
  | { readonly type: 'u'; readonly value: number }
  | { readonly type: 's'; readonly value: string }

export interface MethodCall {
  /** Above 0; the reply names it. */
  readonly serial: number
  readonly destination: string
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly args: readonly CallArgument[]
}

export interface Message {
  readonly type: 'call' | 'return' | 'error' | 'signal' | 'other'
  /** Of the call that this answers; undefined when it answers none. */
  readonly replyTo: number | undefined
  readonly errorName: string | undefined
  readonly signature: string
  /** Its texts (`s`, `o`) and variants of these, in order, as far as the body has nothing else before them. */
  readonly texts: readonly string[]
}

/** Of a whole message; a reply with a property has some hundred. */
export const MAX_MESSAGE_BYTES = 1024 * 1024
export const FIXED_HEADER_BYTES = 16

const LITTLE = 0x6c // l
const BIG = 0x42 // B
const VERSION = 1
const METHOD_CALL = 1
const TYPES = ['other', 'call', 'return', 'error', 'signal'] as const
const FIELD = { path: 1, interface: 2, member: 3, error: 4, reply: 5, destination: 6, signature: 8 }

export function writeCall(call: MethodCall): Buffer {
  const body = createWriter()
  for (const { type, value } of call.args) {
    if (type === 'u') body.number(value)
    else body.text(value)
  }
  const payload = body.bytes()
  const signature = call.args.map(({ type }) => type).join('')
  const fields = createWriter()
  fields.field(FIELD.path, 'o', call.path)
  fields.field(FIELD.interface, 's', call.interface)
  fields.field(FIELD.member, 's', call.member)
  fields.field(FIELD.destination, 's', call.destination)
  if (signature !== '') fields.field(FIELD.signature, 'g', signature)
  const header = createWriter()
  header.raw([LITTLE, METHOD_CALL, 0, VERSION])
  header.number(payload.length)
  header.number(call.serial)
  header.number(fields.bytes().length)
  header.raw(fields.bytes())
  header.pad(8)
  return Buffer.concat([header.bytes(), payload])
}

/**
 * Length of the message that begins here, in bytes.
 * @param header at least its first FIXED_HEADER_BYTES
 * @throws IdentityError UNAVAILABLE when it is none, or longer than MAX_MESSAGE_BYTES
 */
export function messageLength(header: Buffer): number {
  const reader = openReader(header)
  const bodyBytes = reader.at(4)
  const fieldBytes = reader.at(12)
  const length = padded(FIXED_HEADER_BYTES + fieldBytes, 8) + bodyBytes
  if (length > MAX_MESSAGE_BYTES) throw malformed(`a message of ${length} bytes`)
  return length
}

/** @param bytes one whole message @throws IdentityError UNAVAILABLE */
export function readMessage(bytes: Buffer): Message {
  const length = messageLength(bytes)
  if (bytes.length !== length) throw malformed(`${bytes.length} bytes of a message of ${length}`)
  const reader = openReader(bytes)
  const fieldsEnd = FIXED_HEADER_BYTES + reader.at(12)
  const fields = readFields(reader, fieldsEnd)
  const signature = textOf(fields, FIELD.signature, 'g') ?? ''
  reader.move(padded(fieldsEnd, 8))
  const replyTo = fields.get(FIELD.reply)
  if (replyTo !== undefined && replyTo.type !== 'u') throw malformed('a reply to no number')
  return {
    type: TYPES[bytes.readUInt8(1)] ?? 'other',
    replyTo: replyTo?.value,
    errorName: textOf(fields, FIELD.error, 's'),
    signature,
    texts: readTexts(reader, signature),
  }
}

type Field =
  | { readonly type: 'u'; readonly value: number }
  | { readonly type: 's' | 'o' | 'g'; readonly value: string }

function readFields(reader: Reader, end: number): ReadonlyMap<number, Field> {
  const fields = new Map<number, Field>()
  reader.move(FIXED_HEADER_BYTES)
  while (reader.position < end) {
    reader.align(8)
    const code = reader.byte()
    if (fields.has(code)) throw malformed(`field ${code} twice`)
    const type = reader.signature()
    if (type === 'u') fields.set(code, { type, value: reader.number() })
    else if (type === 's' || type === 'o') fields.set(code, { type, value: reader.text() })
    else if (type === 'g') fields.set(code, { type, value: reader.signature() })
    else throw malformed(`a header field of type ${JSON.stringify(type)}`)
  }
  if (reader.position !== end) throw malformed('header fields that are longer than they say')
  return fields
}

function textOf(
  fields: ReadonlyMap<number, Field>,
  code: number,
  type: string,
): string | undefined {
  const field = fields.get(code)
  if (field === undefined) return undefined
  if (field.type !== type || field.type === 'u')
    throw malformed(`header field ${code} of another type`)
  return field.value
}

/** Bodies of other types belong to messages that nobody here asked for. */
function readTexts(reader: Reader, signature: string): readonly string[] {
  const texts: string[] = []
  for (const type of signature) {
    const inner = type === 'v' ? reader.signature() : type
    if (inner !== 's' && inner !== 'o') return texts
    texts.push(reader.text())
  }
  if (!reader.isAtEnd()) throw malformed('a body that is longer than its signature says')
  return texts
}

interface Reader {
  readonly position: number
  /** The number that stands at this place. */
  at(offset: number): number
  move(offset: number): void
  align(to: number): void
  byte(): number
  number(): number
  text(): string
  signature(): string
  isAtEnd(): boolean
}

function openReader(bytes: Buffer): Reader {
  if (bytes.length < FIXED_HEADER_BYTES) throw malformed('less than a header')
  const [endian, , , version] = bytes
  if ((endian !== LITTLE && endian !== BIG) || version !== VERSION) {
    throw malformed('what is no message of version 1')
  }
  let position = 0
  const take = (count: number) => {
    const from = position
    if (from + count > bytes.length) throw malformed('a message that ends within a value')
    position = from + count
    return from
  }
  const at = (offset: number) =>
    endian === LITTLE ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset)
  const align = (to: number) => {
    const end = padded(position, to)
    const skipped = bytes.subarray(position, end)
    if (skipped.some((byte) => byte !== 0)) throw malformed('padding that is not zero')
    take(end - position)
  }
  /** The text, and the zero behind it. */
  const text = (length: number) => {
    const from = take(length + 1)
    if (bytes[from + length] !== 0) throw malformed('a text without its end')
    const content = bytes.subarray(from, from + length)
    if (content.includes(0)) throw malformed('a text with a zero in it')
    return decode(content)
  }
  return {
    get position() {
      return position
    },
    ...{ at, align },
    move: (offset) => {
      position = offset
    },
    byte: () => bytes.readUInt8(take(1)),
    number() {
      align(4)
      return at(take(4))
    },
    text() {
      align(4)
      return text(at(take(4)))
    },
    signature: () => text(bytes.readUInt8(take(1))),
    isAtEnd: () => position === bytes.length,
  }
}

function decode(content: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
  } catch {
    throw malformed('a text that is not UTF-8')
  }
}

function padded(length: number, to: number): number {
  return Math.ceil(length / to) * to
}

function malformed(seen: string): IdentityError {
  return new IdentityError('UNAVAILABLE', `the message bus sent ${seen}`)
}

interface Writer {
  raw(bytes: Iterable<number>): void
  pad(to: number): void
  number(value: number): void
  text(value: string): void
  /** A header field: its code, and a variant with this type. */
  field(code: number, type: 'o' | 's' | 'g', value: string): void
  bytes(): Buffer
}

/** Appends values in little-endian form, each aligned to its own size. */
function createWriter(): Writer {
  const bytes: number[] = []
  const raw = (more: Iterable<number>) => {
    bytes.push(...more)
  }
  const pad = (to: number) => raw(new Array(padded(bytes.length, to) - bytes.length).fill(0))
  const number = (value: number) => {
    pad(4)
    const four = Buffer.alloc(4)
    four.writeUInt32LE(value)
    raw(four)
  }
  const text = (value: string) => {
    number(Buffer.byteLength(value))
    raw(Buffer.from(value))
    raw([0])
  }
  return {
    ...{ raw, pad, number, text },
    field(code, type, value) {
      pad(8)
      raw([code, 1, type.charCodeAt(0), 0])
      if (type === 'g') raw([value.length, ...Buffer.from(value), 0])
      else text(value)
    },
    bytes: () => Buffer.from(bytes),
  }
}
