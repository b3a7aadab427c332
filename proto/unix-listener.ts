/**
 * A gRPC endpoint on a Unix socket that knows who calls, and bounds what each process and each user takes of it. Replaces a socket
 * file left by a dead process, refuses to take over one that still answers, and removes its own when it closes.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { lstatSync, mkdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { experimental, type Server, ServerCredentials } from '@grpc/grpc-js'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { boundStreams, type StreamBounds } from './bound-streams.ts'
import { type Bounds, type Excess, refusalOf, shareOut } from './fair-share.ts'
import { peerCredentialsOf, type UnixCaller } from './peer-credentials.ts'
import { bindWithMode } from './socket-file.ts'

/** sockaddr_un holds 108 bytes with the final zero. */
const MAX_SOCKET_PATH_BYTES = 107
/** Connections waiting to be accepted; the kernel may allow fewer. Beyond it a caller gets EAGAIN. */
const BACKLOG = 4_096
/** Each takes two descriptors: one process shall not use up those of everybody. */
const CONNECTIONS: Bounds = { perProcess: 1_024, total: 16_384 }
const MIB = 1024 * 1024
/** Of sockets that only administrators may open, whose requests and answers are lists of everything. */
const BOUNDS_OF_ADMINISTRATORS: StreamBounds = {
  streams: { perProcess: 8_192, total: 16_384 },
  requestBytes: { perProcess: 256 * MIB, total: 512 * MIB },
  unsentBytes: { perProcess: 256 * MIB, total: 512 * MIB },
}

export interface UnixListenerOptions {
  readonly path: string
  /** Mode of the socket file, e.g. 0o777 for a Workload API. */
  readonly mode: number
  readonly server: Server
  /** Those of administrators if left out. */
  readonly bounds?: StreamBounds
  /**
   * Told of connections that were closed because their caller could not be identified or has too many, and of streams beyond a bound;
   * of too many once for a process or a user, until it has no connection any more: what it does can fill no log.
   */
  onRefused(error: unknown): void
}

export interface UnixListener extends AsyncDisposable {
  callerOf(peer: string): UnixCaller
  /** Closes the connection of a caller that is no longer who connected, so that it may connect anew. */
  hangUp(caller: UnixCaller): void
  /** Takes no more connections and calls, and resolves when the last call has ended or `cut` has aborted. */
  drain(cut: AbortSignal): Promise<void>
}

/** @throws IdentityError CONFIG_INVALID when the path cannot be used, saying why */
export async function listenUnix(options: UnixListenerOptions): Promise<UnixListener> {
  const { path, mode, server } = options
  await prepareSocketPath(path)
  const callers = new Map<string, UnixCaller>()
  const sockets = new Map<UnixCaller, Socket>()
  const connections = shareOut(CONNECTIONS)
  const report = tellOnce(options.onRefused)
  const streams = boundStreams(options.bounds ?? BOUNDS_OF_ADMINISTRATORS, {
    holderOf: (key) => callers.get(key),
    cut(key) {
      const caller = callers.get(key)
      if (caller !== undefined) sockets.get(caller)?.destroy()
    },
    onRefused: report.refused,
  })
  const injector = server.createConnectionInjector(
    experimental.createServerCredentialsWithInterceptors(ServerCredentials.createInsecure(), [
      streams.interceptor,
    ]),
  )
  const admit = (caller: UnixCaller, socket: Socket) => {
    const excess = connections.excess(caller, 1)
    if (excess !== undefined) {
      report.refused(excess, refusalOf(excess, 'open connections', 'it should share one'))
      socket.destroy() // fails closed: it has too many
      return
    }
    connections.hold(caller, 1)
    // The key is what a handler sees as its peer; unguessable, so no header can forge it.
    const key = `unix:${randomUUID()}`
    callers.set(key, caller)
    sockets.set(caller, socket)
    socket.once('close', () => {
      callers.delete(key)
      sockets.delete(caller)
      connections.release(caller, 1)
      if (connections.heldBy(caller.pid) === 0) report.forget('process', caller.pid)
      if (connections.heldByUser(caller.uid) === 0) report.forget('user', caller.uid)
    })
    Object.defineProperty(socket, 'remoteAddress', { value: key })
    injector.injectConnection(socket)
  }
  const listener = createServer((socket) => {
    try {
      const caller = peerCredentialsOf(socket)
      socket.once('close', () => caller[Symbol.dispose]())
      admit(caller, socket)
    } catch (error) {
      socket.destroy() // fails closed: an unidentified caller gets no connection
      options.onRefused(error)
    }
  })
  listener.maxConnections = CONNECTIONS.total
  bindWithMode(mode, () => listener.listen({ path, backlog: BACKLOG }))
  await once(listener, 'listening')
  const stop = () => {
    if (!listener.listening) return
    listener.close() // also unlinks the socket file
    listener.once('close', () => streams[Symbol.dispose]())
    injector.destroy() // connections close as soon as they carry no call
  }
  return {
    callerOf(peer) {
      const caller = callers.get(peer)
      if (caller === undefined) {
        throw new IdentityError('CALLER_UNIDENTIFIED', 'the connection has closed')
      }
      return caller
    },
    hangUp: (caller) => void sockets.get(caller)?.destroy(),
    async drain(cut) {
      const closed = once(listener, 'close')
      stop()
      const cutAll = () => {
        for (const socket of sockets.values()) socket.destroy()
      }
      if (cut.aborted) cutAll()
      cut.addEventListener('abort', cutAll, { once: true })
      await closed
    },
    async [Symbol.asyncDispose]() {
      stop()
    },
  }
}

/** Remembers as many processes and users as have connections. */
function tellOnce(tell: (error: unknown) => void) {
  const told = new Set<string>()
  return {
    refused({ whose, id }: Excess, error: unknown): void {
      const who = `${whose} ${id}`
      if (told.has(who)) return
      told.add(who)
      tell(error)
    },
    forget: (whose: Excess['whose'], id: number) => void told.delete(`${whose} ${id}`),
  }
}

/**
 * Makes the directory, and removes what a dead process left. Whoever has work to do before it listens calls this first,
 * so that it does none beside another process that serves already. @throws IdentityError CONFIG_INVALID
 */
export async function prepareSocketPath(path: string): Promise<void> {
  const length = Buffer.byteLength(path)
  if (length > MAX_SOCKET_PATH_BYTES) {
    throw new IdentityError(
      'CONFIG_INVALID',
      `socket path ${path} has ${length} bytes, a Unix socket allows ${MAX_SOCKET_PATH_BYTES}; choose a shorter one`,
    )
  }
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  } catch (error) {
    throw new IdentityError(
      'CONFIG_INVALID',
      `cannot make the directory of socket ${path}: ${reasonOf(error)}`,
      { cause: error },
    )
  }
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) {
    throw new IdentityError(
      'CONFIG_INVALID',
      `${path} exists and is not a socket; remove it or choose another path`,
    )
  }
  if (await answers(path)) {
    throw new IdentityError(
      'CONFIG_INVALID',
      `another process is listening on ${path}; stop it or choose another path`,
    )
  }
  rmSync(path)
}

/** Fails closed: only a socket of which the kernel says that nobody listens may be replaced, not e.g. one whose queue is full. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    )
  })
}
