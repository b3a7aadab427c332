/**
 * Connections to one destination, kept between exchanges. An idle connection is one on which the last exchange ended exactly
 * where it should: bytes that nobody asked for close it, so no response can reach another request than its own.
 * Bounds: connections, requests that wait for one, time that one may idle.
 */
import type { Duplex } from 'node:stream'
import { boundedConnect } from '../http/bounded-connect.ts'
import type { Deadline, Deadlines } from '../http/deadlines.ts'
import type { HttpLimits } from '../http/limits.ts'
import type { UpstreamFailure } from '../http/local-answer.ts'

/** Who is told what happens on a connection while it has it. */
export interface Borrower {
  onData(chunk: Buffer): void
  /** The server sent its last byte. */
  onEnd(): void
  onClose(error: Error | undefined): void
  onDrain(): void
}

export interface UpstreamConnection {
  readonly kind: 'connection'
  readonly socket: Duplex
  /** Exchanges that ended on it. */
  served: number
  borrower: Borrower | undefined
  readonly deadline: Deadline
  error: Error | undefined
}

export type Taken =
  | UpstreamConnection
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure }

export interface Http1Pool {
  /** An idle connection at once, otherwise a new one; the caller sets `borrower` in the same turn. Never rejects. */
  take(): Taken | Promise<Taken>
  /** @param keepAliveSeconds how long the server said it keeps it, or -1 */
  giveBack(connection: UpstreamConnection, keepAliveSeconds: number): void
  /** Closes a connection that cannot serve again. */
  discard(connection: UpstreamConnection): void
  /** Closes what is idle now, and everything else when it comes back. */
  close(): void
  readonly idle: number
  readonly open: number
}

export interface PoolOptions {
  /** Makes a connection, or rejects; `signal` aborts when `connectTimeoutMs` is over. */
  readonly connect: (signal: AbortSignal) => Promise<Duplex>
  readonly deadlines: Deadlines
  readonly limits: HttpLimits
}

/** Connections to one destination, in use and idle; Envoy's default circuit breaker. */
export const MAX_UPSTREAM_CONNECTIONS = 1024
/** Requests that may wait for a connection; beyond: 503 overflow. */
export const MAX_WAITING_REQUESTS = 1024
/** What we keep when the server does not say. Shorter than the 5 s after which Node's servers close, as many others. */
const IDLE_MS = 4_000
/** We close this much earlier than the server said, so that no request meets its closing. */
const SAFETY_SECONDS = 1
const MAX_IDLE_SECONDS = 60

interface Pool extends PoolOptions {
  readonly idle: UpstreamConnection[]
  readonly waiting: ((taken: Taken) => void)[]
  open: number
  closed: boolean
}

export function openHttp1Pool(options: PoolOptions): Http1Pool {
  const pool: Pool = { ...options, idle: [], waiting: [], open: 0, closed: false }
  return {
    take: () => take(pool),
    giveBack: (connection, seconds) => giveBack(pool, connection, seconds),
    discard: (connection) => {
      connection.borrower = undefined
      connection.socket.destroy()
    },
    close: () => {
      pool.closed = true
      for (const { socket } of pool.idle) socket.destroy()
    },
    get idle() {
      return pool.idle.length
    },
    get open() {
      return pool.open
    },
  }
}

function take(pool: Pool): Taken | Promise<Taken> {
  for (let found = pool.idle.pop(); found !== undefined; found = pool.idle.pop()) {
    pool.deadlines.clear(found.deadline)
    if (!found.socket.destroyed && found.socket.writable) return found
  }
  if (pool.open < MAX_UPSTREAM_CONNECTIONS) return connect(pool)
  if (pool.waiting.length >= MAX_WAITING_REQUESTS) {
    return { kind: 'failed', failure: { kind: 'overflow' } }
  }
  return new Promise((resolve) => {
    pool.waiting.push(resolve)
  })
}

async function connect(pool: Pool): Promise<Taken> {
  pool.open += 1
  const outcome = await boundedConnect(pool)
  if (outcome.kind === 'failed') {
    pool.open -= 1
    serveWaiting(pool)
    return outcome
  }
  return adopt(pool, outcome.socket)
}

function adopt(pool: Pool, socket: Duplex): UpstreamConnection {
  const deadline = pool.deadlines.add(() => socket.destroy())
  const connection: UpstreamConnection = {
    kind: 'connection',
    socket,
    served: 0,
    borrower: undefined,
    deadline,
    error: undefined,
  }
  socket.on('data', (chunk: Buffer) => {
    if (connection.borrower === undefined) socket.destroy()
    else connection.borrower.onData(chunk)
  })
  socket.on('end', () => {
    if (connection.borrower === undefined) socket.destroy()
    else connection.borrower.onEnd()
  })
  socket.on('drain', () => connection.borrower?.onDrain())
  socket.on('error', (error: Error) => {
    connection.error = error
  })
  socket.once('close', () => {
    pool.open -= 1
    pool.deadlines.delete(deadline)
    const at = pool.idle.indexOf(connection)
    if (at >= 0) pool.idle.splice(at, 1)
    connection.borrower?.onClose(connection.error)
    serveWaiting(pool)
  })
  return connection
}

function giveBack(pool: Pool, connection: UpstreamConnection, keepAliveSeconds: number): void {
  const { socket, deadline } = connection
  connection.borrower = undefined
  connection.served += 1
  const keptMs =
    keepAliveSeconds < 0
      ? IDLE_MS
      : (Math.min(keepAliveSeconds, MAX_IDLE_SECONDS) - SAFETY_SECONDS) * 1000
  if (pool.closed || keptMs <= 0 || !socket.writable || socket.readableLength > 0) {
    socket.destroy()
    return
  }
  if (socket.isPaused()) socket.resume()
  const next = pool.waiting.shift()
  if (next !== undefined) {
    next(connection)
    return
  }
  pool.deadlines.set(deadline, keptMs)
  pool.idle.push(connection)
}

/** A place became free: the first that waits gets a new connection. */
function serveWaiting(pool: Pool): void {
  if (pool.open >= MAX_UPSTREAM_CONNECTIONS) return
  const next = pool.waiting.shift()
  if (next !== undefined) void connect(pool).then(next)
}
