/**
 * Brings one batch of spans to the collector over HTTP or HTTPS: a connection for each, bounded in time and in what is read of the
 * answer, and marked like every connection of our own, so that rules of redirection let it pass. Redirects are not followed.
 * @see OTLP 1.x — 429, 502, 503 and 504 may be sent again, any other refusal may not
 */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { CollectorEndpoint } from '../../config/collector.ts'
import { request } from '../../proto/node-http.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { deadlineIn } from '../../spiffe/deadline.ts'
import { reasonOf } from '../../spiffe/error.ts'
import { readBounded } from '../../spiffe/read-bounded.ts'
import { connectPlain } from '../forward/connect-plain.ts'
import { readCollectorHeaders } from './collector-headers.ts'

export type Posted =
  | { readonly kind: 'taken'; readonly answer: string }
  /** It may take them later. */
  | { readonly kind: 'away'; readonly reason: string }
  /** It will never take these. */
  | { readonly kind: 'refused'; readonly reason: string }

/** Never rejects. */
export type PostSpans = (body: string, signal: AbortSignal) => Promise<Posted>

export interface PostOptions {
  readonly endpoint: CollectorEndpoint
  readonly headersFile: string | undefined
  /** PEM; undefined: the authorities that Node comes with. */
  readonly ca: string | undefined
  readonly socketMark: number | undefined
  readonly clock: Clock
}

/** For connection, request and answer together. */
const TIMEOUT_MS = 5_000
const MAX_ANSWER_BYTES = 64 * 1024
const MAY_BE_SENT_AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504])

export function spanPoster(options: PostOptions): PostSpans {
  return async (body, signal) => {
    using deadline = deadlineIn(TIMEOUT_MS, options.clock, signal)
    let socket: Duplex | undefined
    // A handshake that hangs ends with its connection.
    const giveUp = () => socket?.destroy()
    deadline.signal.addEventListener('abort', giveUp)
    try {
      const headers = await readCollectorHeaders(options.headersFile)
      socket = await connectTo(options, deadline.signal)
      return await ask(options, { socket, headers: headers.flat(), body }, deadline.signal)
    } catch (error) {
      const late = `no answer within ${TIMEOUT_MS / 1000} s`
      return { kind: 'away', reason: deadline.isOver ? late : reasonOf(error) }
    } finally {
      deadline.signal.removeEventListener('abort', giveUp)
      socket?.destroy()
    }
  }
}

async function connectTo(
  { endpoint, ca, socketMark }: PostOptions,
  signal: AbortSignal,
): Promise<Duplex> {
  const { host, address, isSecure } = endpoint
  const socket = await connectPlain(address, signal, socketMark)
  if (!isSecure) return socket
  const servername = isIP(host) === 0 ? { servername: host } : {}
  const secured = connectTls({
    ...{ socket, host, ALPNProtocols: ['http/1.1'], ...servername },
    ...(ca === undefined ? {} : { ca }),
  })
  try {
    await once(secured, 'secureConnect', { signal })
  } catch (error) {
    secured.on('error', () => {})
    secured.destroy()
    throw error
  }
  return secured
}

interface Question {
  readonly socket: Duplex
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly body: string
}

async function ask(
  { endpoint }: PostOptions,
  { socket, headers, body }: Question,
  signal: AbortSignal,
): Promise<Posted> {
  const sent = request({
    ...{ createConnection: () => socket, method: 'POST', path: endpoint.path, signal },
    headers: [
      ...['host', endpoint.authority, 'content-type', 'application/json'],
      ...['content-length', String(Buffer.byteLength(body)), 'connection', 'close'],
      ...headers,
    ],
  })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage] // cast: what the event gives
  const status = response.statusCode ?? 0
  const answer = await readBounded(response, MAX_ANSWER_BYTES)
  if (answer === undefined) {
    return { kind: 'refused', reason: `it answered more than ${MAX_ANSWER_BYTES} bytes` }
  }
  if (status >= 200 && status < 300) return { kind: 'taken', answer: answer.toString('utf8') }
  const reason = `it answered ${status}, expected 200`
  return { kind: MAY_BE_SENT_AGAIN.has(status) ? 'away' : 'refused', reason }
}
