/**
 * HTTP/2 written frame by frame, by clients that keep to none of its limits: over TCP with TLS, or over a Unix socket.
 * Nothing of it is checked here; what the other end does is what tests look at.
 *
 * @see RFC 9113 §4.1 — frames; RFC 7541 §6.2.2 — literal header fields without indexing
 */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A port of this machine that speaks TLS, or a Unix socket that does not. */
export type Place =
  | { readonly kind: 'tls'; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')
const FRAME_HEAD_BYTES = 9

export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, window: 8, more: 9 }
export const FLAG = { end: 1, ack: 1, endHeaders: 4 }
export const SETTING = { initialWindow: 4 }

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(),
): Buffer {
  const bytes = Buffer.alloc(FRAME_HEAD_BYTES + payload.length)
  bytes.writeUIntBE(payload.length, 0, 3)
  bytes.writeUInt8(type, 3)
  bytes.writeUInt8(flags, 4)
  bytes.writeUInt32BE(stream, 5)
  bytes.set(payload, FRAME_HEAD_BYTES)
  return bytes
}

export const number32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUInt16BE(id, 0)
  bytes.writeUInt32BE(value, 2)
  return frame(FRAME.settings, 0, 0, bytes)
}

/** Shorter than 127 bytes each. */
export const field = (name: string, value: string): Buffer =>
  Buffer.concat([
    Buffer.of(0, name.length),
    Buffer.from(name, 'latin1'),
    Buffer.of(value.length),
    Buffer.from(value, 'latin1'),
  ])

/** The head of a call. @param more fields of its own */
export const callFields = (method: string, ...more: readonly Buffer[]): Buffer =>
  Buffer.concat([
    field(':method', 'POST'),
    field(':scheme', 'http'),
    field(':path', method),
    field(':authority', 'localhost'),
    field('content-type', 'application/grpc'),
    field('te', 'trailers'),
    field('workload.spiffe.io', 'true'),
    ...more,
  ])

/** A message of gRPC, with whatever length it claims. */
export const grpcMessage = (bytes: Uint8Array, claimed = bytes.length): Buffer =>
  Buffer.concat([Buffer.of(0), number32(claimed), bytes])

/** A message that says of itself that it is compressed. */
export const compressedMessage = (bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of(1), number32(bytes.length), bytes])

/** A connection that has sent its preface. Errors of it are ignored: being cut off is what it is for. */
export async function openRaw(place: Place): Promise<Socket> {
  const socket = await openSocket(place)
  socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]))
  return socket
}

async function openSocket(place: Place): Promise<Socket> {
  if (place.kind === 'unix') {
    const socket = connectTcp(place.path)
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  const socket = connectTls({
    ...{ host: '127.0.0.1', port: place.port, ALPNProtocols: ['h2'] },
    // Whom it attacks does not matter to it.
    rejectUnauthorized: false,
  })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return socket
}

/** Resolves however it ends. */
export const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed) resolve()
    socket.once('close', () => resolve())
  })

/**
 * Writes pieces until there are no more or the connection is taken away, in step with what the other end takes.
 * @param isReading false: answers are left unread, and pile up at whoever sends them
 * @returns whether the connection was taken away
 */
export async function pour(
  socket: Socket,
  pieces: Iterable<Uint8Array>,
  isReading: boolean,
): Promise<boolean> {
  if (isReading) socket.resume()
  else socket.pause()
  const over = closed(socket)
  for (const piece of pieces) {
    if (socket.destroyed) return true
    if (!socket.write(piece)) await Promise.race([over, once(socket, 'drain').catch(() => {})])
    else await new Promise((resolve) => setImmediate(resolve))
  }
  return socket.destroyed
}
