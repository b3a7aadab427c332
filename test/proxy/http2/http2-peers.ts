/** An HTTP/2 server and client of a test, by Node's own implementation. */
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'

export interface Http2Backend extends AsyncDisposable {
  readonly port: number
  readonly sessions: ReadonlySet<ServerHttp2Session>
  readonly streams: number
}

export type OnStream = (stream: ServerHttp2Stream, rawHeaders: readonly string[]) => void

export async function listenHttp2(onStream: OnStream): Promise<Http2Backend> {
  const sessions = new Set<ServerHttp2Session>()
  let streams = 0
  const server = createServer({ strictSingleValueFields: false })
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream, _headers, _flags, rawHeaders) => {
    streams += 1
    stream.on('error', () => {})
    onStream(stream, rawHeaders)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    sessions,
    get streams() {
      return streams
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
  readonly code: number
}

export interface Http2Client extends AsyncDisposable {
  readonly session: ClientHttp2Session
  /** Pseudo headers may be left out: GET / of http://a. */
  ask(headers: readonly string[], body?: string, trailers?: Record<string, string>): Promise<Answer>
}

export async function dialHttp2(port: number): Promise<Http2Client> {
  // Not written into the call: the types do not know this option for clients yet.
  const options = { strictSingleValueFields: false, maxHeaderListPairs: 200 }
  const session = connect(`http://127.0.0.1:${port}`, options)
  session.on('error', () => {})
  await once(session, 'connect')
  return {
    session,
    ask: (headers, body, trailers) => ask(session, headers, body, trailers),
    async [Symbol.asyncDispose]() {
      session.destroy()
    },
  }
}

const DEFAULTS = [
  [':method', 'GET'],
  [':path', '/'],
  [':scheme', 'http'],
  [':authority', 'a'],
] as const

export function withPseudoHeaders(headers: readonly string[]): string[] {
  const missing = DEFAULTS.filter(([name]) => !headers.includes(name))
  return [...missing.flat(), ...headers]
}

function ask(
  session: ClientHttp2Session,
  headers: readonly string[],
  body = '',
  trailers: Record<string, string> | undefined = undefined,
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>()
  const endStream = body === '' && trailers === undefined
  const stream = session.request(withPseudoHeaders(headers), { endStream, waitForTrailers: true })
  const answer = { status: 0, headers: [] as string[], body: '', trailers: [] as string[] }
  stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}))
  stream.on('response', (_headers, _flags, raw: string[]) => {
    answer.status = Number(raw[raw.indexOf(':status') + 1])
    answer.headers = raw
  })
  stream.on('trailers', (_headers, _flags, raw: string[]) => {
    answer.trailers = raw
  })
  stream.on('data', (chunk: Buffer) => {
    answer.body += chunk.toString()
  })
  stream.on('error', () => {})
  stream.once('close', () => resolve({ ...answer, code: stream.rstCode }))
  if (body !== '' || trailers !== undefined) stream.end(body)
  return promise
}
