/**
 * HTTP/2 sessions to one destination, shared by the streams of many clients. A session that is going away takes no more streams
 * and ends with its last one. Bounds: streams per session, sessions, time without a stream.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import type { Duplex } from 'node:stream'
import { boundedConnect } from '../http/bounded-connect.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { HttpLimits } from '../http/limits.ts'
import type { UpstreamFailure } from '../http/local-answer.ts'
import { endWithPeer } from './end-with-peer.ts'

export type OpenedStream =
  | { readonly kind: 'stream'; readonly stream: ClientHttp2Stream }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure }

export interface Http2Pool {
  /** @param headers a list that nghttp2 accepts; a stream that it does not accept is a `protocol-error`. Never rejects. */
  open(headers: readonly string[], endStream: boolean): OpenedStream | Promise<OpenedStream>
  close(): void
  readonly sessions: number
}

export interface Http2PoolOptions {
  /** Makes a connection on which HTTP/2 is spoken at once, or rejects; `signal` aborts when `connectTimeoutMs` is over. */
  readonly connect: (signal: AbortSignal) => Promise<Duplex>
  readonly deadlines: Deadlines
  readonly limits: HttpLimits
}

/** ztunnel's bound; beyond, another session is opened. */
const MAX_STREAMS_PER_SESSION = 100
export const MAX_SESSIONS = 64
/** Without a stream. */
const IDLE_MS = 300_000
/** Bytes that a server may send ahead on one stream, and on all of a session together. */
const STREAM_WINDOW_BYTES = 256 * 1024
const SESSION_WINDOW_BYTES = 1024 * 1024

interface Session {
  /** Undefined until the connection is made. */
  session: ClientHttp2Session | undefined
  readonly ready: Promise<ClientHttp2Session | UpstreamFailure>
  streams: number
  leaving: boolean
}

interface Pool extends Http2PoolOptions {
  readonly sessions: Set<Session>
}

export function openHttp2Pool(options: Http2PoolOptions): Http2Pool {
  const pool: Pool = { ...options, sessions: new Set() }
  return {
    open: (headers, endStream) => open(pool, headers, endStream),
    close: () => {
      for (const { session } of pool.sessions) session?.close()
    },
    get sessions() {
      return pool.sessions.size
    },
  }
}

function open(
  pool: Pool,
  headers: readonly string[],
  endStream: boolean,
): OpenedStream | Promise<OpenedStream> {
  const entry = roomyEntry(pool) ?? (pool.sessions.size < MAX_SESSIONS ? newEntry(pool) : undefined)
  if (entry === undefined) return { kind: 'failed', failure: { kind: 'overflow' } }
  entry.streams += 1
  if (entry.session !== undefined) return openOn(pool, entry, entry.session, headers, endStream)
  return entry.ready.then((made) =>
    'kind' in made
      ? { kind: 'failed', failure: made }
      : openOn(pool, entry, made, headers, endStream),
  )
}

function roomyEntry(pool: Pool): Session | undefined {
  for (const entry of pool.sessions) {
    const allowed = entry.session?.remoteSettings?.maxConcurrentStreams ?? MAX_STREAMS_PER_SESSION
    if (!entry.leaving && entry.streams < Math.min(allowed, MAX_STREAMS_PER_SESSION)) return entry
  }
  return undefined
}

function openOn(
  pool: Pool,
  entry: Session,
  session: ClientHttp2Session,
  headers: readonly string[],
  endStream: boolean,
): OpenedStream {
  try {
    const stream = session.request([...headers], { endStream, waitForTrailers: !endStream })
    stream.once('close', () => release(pool, entry))
    return { kind: 'stream', stream }
  } catch (error) {
    release(pool, entry)
    if (session.destroyed || session.closed)
      return { kind: 'failed', failure: { kind: 'terminated' } }
    const reason = error instanceof Error ? error.message : ''
    return { kind: 'failed', failure: { kind: 'protocol-error', reason } }
  }
}

function release(pool: Pool, entry: Session): void {
  entry.streams -= 1
  if (entry.leaving && entry.streams === 0) pool.sessions.delete(entry)
}

function newEntry(pool: Pool): Session {
  const { promise, resolve } = Promise.withResolvers<ClientHttp2Session | UpstreamFailure>()
  const entry: Session = { session: undefined, ready: promise, streams: 0, leaving: false }
  pool.sessions.add(entry)
  void boundedConnect(pool).then((outcome) => {
    if (outcome.kind === 'failed') {
      pool.sessions.delete(entry)
      resolve(outcome.failure)
      return
    }
    entry.session = startSession(pool, entry, outcome.socket)
    resolve(entry.session)
  })
  return entry
}

function startSession(pool: Pool, entry: Session, socket: Duplex): ClientHttp2Session {
  const { limits, deadlines } = pool
  endWithPeer(socket)
  // Not written into the call: the types do not know `strictSingleValueFields` for clients yet.
  const options = {
    createConnection: () => socket,
    strictSingleValueFields: false,
    maxHeaderListPairs: limits.headers + 1,
    settings: {
      enablePush: false,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxHeaderListSize: limits.headBytes,
    },
  }
  const session = connect('http://upstream', options)
  const deadline = deadlines.add(() => {
    if (entry.streams > 0) deadlines.set(deadline, IDLE_MS)
    else session.close()
  })
  const leave = () => {
    entry.leaving = true
    if (entry.streams === 0) pool.sessions.delete(entry)
  }
  deadlines.set(deadline, IDLE_MS)
  session.once('connect', () => session.setLocalWindowSize(SESSION_WINDOW_BYTES))
  session.on('goaway', leave)
  // Each stream is told by its own events; a session's error says no more.
  session.on('error', leave)
  session.once('close', () => {
    deadlines.delete(deadline)
    leave()
    pool.sessions.delete(entry)
  })
  return session
}
