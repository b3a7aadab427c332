/** Messages as a bus and a service on it send them, in either byte order: what the agent reads and never writes. */

export interface MadeMessage {
  readonly type: 1 | 2 | 3 | 4
  readonly serial?: number
  readonly replyTo?: number
  readonly destination?: string
  readonly errorName?: string
  readonly signature?: string
  readonly body?: Buffer
  readonly isBig?: boolean
}

/** Appends values, aligned from the beginning of what is made. */
export function values(isBig = false) {
  let bytes = Buffer.alloc(0)
  const add = (...more: readonly (Buffer | readonly number[])[]) => {
    bytes = Buffer.concat([bytes, ...more.map((one) => Buffer.from(one))])
  }
  const pad = (to: number) => add(Buffer.alloc((to - (bytes.length % to)) % to))
  const made = {
    byte: (value: number) => {
      add([value])
      return made
    },
    pad: (to: number) => {
      pad(to)
      return made
    },
    u: (value: number) => {
      pad(4)
      const four = Buffer.alloc(4)
      if (isBig) four.writeUInt32BE(value)
      else four.writeUInt32LE(value)
      add(four)
      return made
    },
    s: (value: string) => {
      made.u(Buffer.byteLength(value))
      add(Buffer.from(value), [0])
      return made
    },
    g: (value: string) => {
      add([value.length], Buffer.from(value), [0])
      return made
    },
    raw: (value: Buffer) => {
      add(value)
      return made
    },
    bytes: () => bytes,
  }
  return made
}

export function makeMessage(message: MadeMessage): Buffer {
  const { isBig = false, body = Buffer.alloc(0) } = message
  const fields = values(isBig)
  if (message.replyTo !== undefined) fields.pad(8).byte(5).g('u').u(message.replyTo)
  if (message.destination !== undefined) fields.pad(8).byte(6).g('s').s(message.destination)
  if (message.errorName !== undefined) fields.pad(8).byte(4).g('s').s(message.errorName)
  if (message.signature !== undefined) fields.pad(8).byte(8).g('g').g(message.signature)
  const header = values(isBig)
    .byte((isBig ? 'B' : 'l').charCodeAt(0))
    .byte(message.type)
    .byte(0)
    .byte(1)
    .u(body.length)
    .u(message.serial ?? 1)
    .u(fields.bytes().length)
    .raw(fields.bytes())
    .pad(8)
  return Buffer.concat([header.bytes(), body])
}

export const textBody = (text: string, isBig = false) => values(isBig).s(text).bytes()
export const variantBody = (text: string, isBig = false) => values(isBig).g('s').s(text).bytes()
