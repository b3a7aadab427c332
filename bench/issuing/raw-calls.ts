/**
 * A load of unary gRPC calls whose bytes are ready before it begins: answers are counted and not decoded, so that the server is
 * what limits. A call that is refused ends the load.
 */
import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import type { Node } from '../../test/interop/suites/node-by-hand.ts'
import type { Server } from '../../test/processes/cluster.ts'

export interface RawCalls extends AsyncDisposable {
  /** @param body a message with its five bytes in front @returns the answer, likewise */
  call(path: string, body: Buffer): Promise<Buffer>
  /** Calls again and again, `concurrency` at a time. @returns how many were answered, and in how long */
  load(plan: LoadPlan): Promise<{ readonly calls: number; readonly seconds: number }>
}

export interface LoadPlan {
  /** Full method, e.g. `/spire.api.server.svid.v1.SVID/NewJWTSVID`. */
  readonly path: string
  /** Taken in turn. */
  readonly bodies: readonly Buffer[]
  readonly concurrency: number
  readonly calls: number
}

const MAX_STREAMS_BYTES = 8 << 20

/** Calls the server over mutual TLS with what the node has. */
export async function openRawCalls(server: Server, node: Node): Promise<RawCalls> {
  const session = connect(`https://127.0.0.1:${server.port}`, {
    cert: node.identity.chain,
    key: node.identity.key,
    rejectUnauthorized: false, // who is measured is known: it was started here
    settings: { initialWindowSize: MAX_STREAMS_BYTES },
  })
  await once(session, 'connect')
  session.setLocalWindowSize(MAX_STREAMS_BYTES)
  return {
    call: (path, body) => callOnce(session, path, body),
    async load({ path, bodies, concurrency, calls }) {
      let begun = 0
      const since = performance.now()
      const one = async () => {
        while (begun < calls) {
          const body = bodies[begun++ % bodies.length]
          if (body !== undefined) await callOnce(session, path, body)
        }
      }
      await Promise.all(Array.from({ length: concurrency }, one))
      return { calls: begun, seconds: (performance.now() - since) / 1_000 }
    },
    async [Symbol.asyncDispose]() {
      session.destroy()
    },
  }
}

function callOnce(session: ClientHttp2Session, path: string, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    const chunks: Buffer[] = []
    let status: string | undefined
    let why: string | undefined
    const hear = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] === undefined) return
      status = String(headers['grpc-status'])
      why = String(headers['grpc-message'] ?? '')
    }
    stream.on('response', hear).on('trailers', hear)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', reject)
    stream.on('close', () => {
      if (status === '0') resolve(Buffer.concat(chunks))
      else reject(new Error(`${path} ended with status ${status}: ${why}`))
    })
    stream.end(body)
  })
}

/** A message as gRPC sends it: not compressed, its length in front. */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}
