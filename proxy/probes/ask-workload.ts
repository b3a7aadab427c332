/** Asks a workload what the kubelet would have asked it: by HTTP, by a connection, or by gRPC's health service. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect as connectHttp2, constants } from 'node:http2'
import { request as requestHttps } from 'node:https'
import { connect } from 'node:net'
import { request as requestHttp } from '../../proto/node-http.ts'
import { reasonOf } from '../../spiffe/error.ts'
import { readBounded } from '../../spiffe/read-bounded.ts'
import type { AskProbe, ProbeAnswer, ProbeQuestion } from './probe.ts'

type Of<Kind> = Extract<ProbeQuestion, { readonly kind: Kind }>

const OK = 200
const NOT_SERVING = 503
/** Of a gRPC answer: a message of one field is six bytes. */
const MAX_GRPC_BYTES = 1_024
const MAX_HEADER_BYTES = 16 * 1024

export const askWorkload: AskProbe = async (question, ip, signal) => {
  try {
    switch (question.kind) {
      case 'http':
        return await askHttp(question, ip, signal)
      case 'tcp':
        return await askTcp(question, ip, signal)
      case 'grpc':
        return await askGrpc(question, ip, signal)
      default:
        return question satisfies never
    }
  } catch (error) {
    return { kind: 'none', why: signal.aborted ? 'no answer in time' : reasonOf(error) }
  }
}

async function askHttp(
  { port, path, scheme, headers }: Of<'http'>,
  ip: string,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const at = {
    host: ip,
    port,
    path,
    headers,
    signal,
    agent: false,
    maxHeaderSize: MAX_HEADER_BYTES,
  }
  // As the kubelet: the certificate of a workload's own is not looked at.
  const asking =
    scheme === 'https'
      ? requestHttps({ ...at, rejectUnauthorized: false }).end()
      : requestHttp(at).end()
  // A request may fail after its answer has come, too, and an answer that switches protocols is none and is no failure either.
  asking.on('error', () => {})
  const closed = once(asking, 'close').then(() => Promise.reject(new Error('no answer of HTTP')))
  closed.catch(() => {}) // it closes in any case
  const [response] = (await Promise.race([once(asking, 'response'), closed])) as [IncomingMessage] // what the event brings
  response.destroy()
  return { kind: 'answer', status: response.statusCode ?? NOT_SERVING }
}

async function askTcp({ port }: Of<'tcp'>, ip: string, signal: AbortSignal): Promise<ProbeAnswer> {
  const socket = connect({ host: ip, port, signal })
  try {
    await once(socket, 'connect')
    return { kind: 'answer', status: OK }
  } finally {
    socket.destroy()
  }
}

async function askGrpc(
  { port, service }: Of<'grpc'>,
  ip: string,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const host = ip.includes(':') ? `[${ip}]` : ip
  const session = connectHttp2(`http://${host}:${port}`)
  const failed = once(session, 'error').then(([error]) => Promise.reject(error))
  failed.catch(() => {}) // the race below hears of it
  try {
    const stream = session.request(
      {
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        [constants.HTTP2_HEADER_TE]: 'trailers',
      },
      { signal },
    )
    stream.end(healthRequest(service))
    const body = await Promise.race([readBounded(stream, MAX_GRPC_BYTES), failed])
    if (body === undefined) throw new Error('the answer is too long')
    return { kind: 'answer', status: isServing(body) ? OK : NOT_SERVING }
  } finally {
    session.destroy()
  }
}

const FRAME_BYTES = 5

/** HealthCheckRequest { string service = 1 } in a frame of gRPC. */
function healthRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8')
  // A name of 128 bytes or more has a longer length before it.
  const length =
    name.length < 0x80 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7]
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...length]), name])
  const frame = Buffer.alloc(FRAME_BYTES)
  frame.writeUInt32BE(message.length, 1)
  return Buffer.concat([frame, message])
}

/** HealthCheckResponse { status = 1 }, of which 1 is SERVING. On doubt it does not serve. */
function isServing(answer: Buffer): boolean {
  return answer.equals(Buffer.from([0, 0, 0, 0, 2, 0x08, 1]))
}
