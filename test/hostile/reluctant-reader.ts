/**
 * Streams whose caller asks and does not read until it wants to: its HTTP/2 window is closed, so that not a byte of an answer may be
 * sent. What it is given afterwards tells how much was kept for it.
 */
import { once } from 'node:events'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import type { MethodDefinition } from '@grpc/grpc-js'
import { grpcMessage } from './raw-http2.ts'

/** A method as proto-loader makes it; what it takes and gives is left open there. */
export type Method = Pick<
  MethodDefinition<object, object>,
  'path' | 'requestStream' | 'requestSerialize'
>

export interface Reader {
  /** Whole messages that have come, as bytes. */
  readonly messages: readonly Buffer[]
  /** How it was refused before any message; undefined: it was not. */
  refusal(): { readonly code: number; readonly message: string } | undefined
}

export interface Readers extends AsyncDisposable {
  /** Opens a stream and asks; its half stays open where more could be asked. */
  open(method: Method, request: object): Reader
  /** From here on everything is read. */
  startReading(): void
}

const WIDE_BYTES = 1024 * 1024
const PREFIX_BYTES = 5

/** @param isReading false: not before it is told to @param dial a connection that speaks HTTP/2 */
export async function openReaders(isReading: boolean, dial: () => Socket): Promise<Readers> {
  const session = connectHttp2('http://localhost', {
    createConnection: dial,
    settings: { initialWindowSize: isReading ? WIDE_BYTES : 0 },
  })
  session.on('error', () => {})
  await once(session, 'connect')
  return {
    open: (method, request) => openReader(session, method, request),
    startReading: () => session.settings({ initialWindowSize: WIDE_BYTES }),
    async [Symbol.asyncDispose]() {
      if (session.destroyed) return
      const closed = once(session, 'close')
      session.destroy()
      await closed
    },
  }
}

export const overUnix = (path: string) => () => connect(path)

function openReader(session: ClientHttp2Session, method: Method, request: object): Reader {
  const messages: Buffer[] = []
  const stream = session.request({
    ':method': 'POST',
    ':path': method.path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'workload.spiffe.io': 'true',
  })
  let refusal: ReturnType<Reader['refusal']>
  stream.on('response', (head) => {
    const code = Number(head['grpc-status'] ?? 0)
    if (code !== 0) refusal = { code, message: decodeURI(String(head['grpc-message'])) }
  })
  let rest = Buffer.alloc(0)
  stream.on('error', () => {})
  stream.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + rest.readUInt32BE(1)
      if (rest.length < end) return
      messages.push(rest.subarray(PREFIX_BYTES, end))
      rest = rest.subarray(end)
    }
  })
  stream.write(grpcMessage(method.requestSerialize(request)))
  if (!method.requestStream) stream.end()
  return { messages, refusal: () => refusal }
}
