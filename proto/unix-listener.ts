/**
 * A gRPC endpoint on a Unix socket that knows who calls, and bounds what each process and each user takes of it. Replaces a socket
 * file left by a dead process, refuses to take over one that still answers, and removes its own when it closes.
 */
import { once } from 'node:events'
import { lstatSync, mkdirSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { dirname } from 'node:path'
import type { Server } from '@grpc/grpc-js'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { boundStreams, type StreamBounds } from './bound-streams.ts'
import { CONNECTIONS, openConnections } from './open-connections.ts'
import { peerCredentialsOf, type UnixCaller } from './peer-credentials.ts'
import { uncompressedOnly } from './refuse-compressed.ts'
import { bindWithMode } from './socket-file.ts'

/** sockaddr_un holds 108 bytes with the final zero. */
const MAX_SOCKET_PATH_BYTES = 107
/** Connections waiting to be accepted; the kernel may allow fewer. Beyond it a caller gets EAGAIN. */
const BACKLOG = 4_096

export interface UnixListenerOptions {
  readonly path: string
  /** Mode of the socket file, e.g. 0o777 for a Workload API. */
  readonly mode: number
  readonly server: Server
  readonly bounds: StreamBounds
  /**
   * Told of connections that were closed because their caller could not be identified or has too many, and of streams beyond a bound;
   * of too many once for a process or a user, until it has no connection any more, and of a flood once: what it does can fill no log.
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
  const connections = openConnections(options.onRefused)
  const streams = boundStreams(options.bounds, {
    holderOf: connections.callerOf,
    cut(key) {
      const caller = connections.callerOf(key)
      if (caller !== undefined) connections.cut(caller)
    },
    cutProcess: connections.cutProcess,
    onRefused: connections.refused,
  })
  const injector = server.createConnectionInjector(uncompressedOnly(streams.interceptor))
  const listener = createServer((socket) => {
    try {
      const caller = peerCredentialsOf(socket)
      socket.once('close', () => caller[Symbol.dispose]())
      if (connections.admit(caller, socket)) injector.injectConnection(socket)
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
      const caller = connections.callerOf(peer)
      if (caller === undefined) {
        throw new IdentityError('CALLER_UNIDENTIFIED', 'the connection has closed')
      }
      return caller
    },
    hangUp: connections.cut,
    async drain(cut) {
      const closed = once(listener, 'close')
      stop()
      if (cut.aborted) connections.cutAll()
      cut.addEventListener('abort', connections.cutAll, { once: true })
      await closed
    },
    async [Symbol.asyncDispose]() {
      stop()
    },
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
