/**
 * The server's end of mutual TLS: one listener that takes a connection, checks who is there, and only then hands it to
 * the HTTP, HTTP/2 or gRPC server behind it. That server never sees a connection that was refused, whatever its
 * handlers do. New SVIDs and bundles apply to new connections at once; open ones stay.
 */
import { once } from 'node:events'
import type { AddressInfo, ListenOptions, Socket } from 'node:net'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import { type Clock, systemClock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { Authorize } from './authorize.ts'
import { type Behind, type Inner, innerOf } from './inner-server.ts'
import { judgeSocket } from './judge-peer.ts'
import { markPeer } from './peer-id.ts'
import {
  type MinTlsVersion,
  secureContextOptions,
  type TlsIdentity,
  usableIdentity,
} from './tls-identity.ts'

export interface MtlsServerOptions {
  /** Protocols to agree on; default: what the inner server speaks, none for a function. */
  readonly alpn?: readonly string[]
  /** Instead of `alpn`: chooses among what each client offers; undefined refuses the handshake. */
  readonly chooseAlpn?: (offered: readonly string[]) => string | undefined
  /** Default: TLS 1.2. */
  readonly minVersion?: MinTlsVersion
  /** Told of each connection that was refused, and why. */
  readonly onRefused?: (error: IdentityError, from: string) => void
  /** How long a client may take to prove itself before it is let go; 10 s if not given. */
  readonly handshakeTimeoutMs?: number | undefined
  readonly maxConnections?: number
  readonly clock?: Clock
}

export interface MtlsServer extends AsyncDisposable {
  /** @throws the system's error when the address cannot be bound */
  listen(options: ListenOptions): Promise<AddressInfo>
  /**
   * Takes a connection that was accepted elsewhere, whose first bytes may have been looked at and put back. It is judged
   * like any other; whoever accepted it also closes it in the end.
   */
  accept(socket: Socket): void
}

const HANDSHAKE_TIMEOUT_MS = 10_000
const MAX_CONNECTIONS = 16_384
/** How long open connections may take to end when the server is disposed of. */
const DRAIN_MS = 10_000

interface Gate {
  readonly source: TlsIdentity
  readonly authorize: Authorize
  readonly behind: Behind
  readonly clock: Clock
  readonly onRefused: (error: IdentityError, from: string) => void
}

/**
 * @param inner a server that does not listen itself, or a function that is given each verified connection
 * @throws IdentityError as `source.current`, when there is no identity to begin with
 */
export function createMtlsServer(
  source: TlsIdentity,
  authorize: Authorize,
  inner: Inner | ((socket: TLSSocket, peer: SpiffeId) => void),
  options: MtlsServerOptions = {},
): MtlsServer {
  const { clock = systemClock, onRefused = () => {} } = options
  const behind = innerOf(inner)
  const server = createServer({
    ...secureContextOptions(usableIdentity(source, clock), options.minVersion),
    ...alpnOf(options, behind.alpn),
    requestCert: true,
    // We verify ourselves, below: OpenSSL would take the roots of one trust domain for those of all.
    rejectUnauthorized: false,
    handshakeTimeout: options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
  })
  server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS
  const sockets = guard(server, { source, authorize, behind, clock, onRefused })
  const rotation = source.onChange(() => {
    try {
      server.setSecureContext(
        secureContextOptions(usableIdentity(source, clock), options.minVersion),
      )
    } catch {
      // Without an identity every connection is refused, and reported, as it comes.
    }
  })
  return {
    async listen(where) {
      server.listen(where)
      await once(server, 'listening')
      return server.address() as AddressInfo // cast: `where` may name a pipe, whose users need no address
    },
    accept: (socket) => void server.emit('connection', socket),
    async [Symbol.asyncDispose]() {
      rotation[Symbol.dispose]()
      if (!server.listening) return
      const closed = new AbortController()
      server.close(() => closed.abort())
      behind.drain()
      await clock.sleep(DRAIN_MS, closed.signal)
      for (const socket of sockets) socket.destroy()
    },
  }
}

function alpnOf(
  { alpn, chooseAlpn }: MtlsServerOptions,
  innerAlpn: readonly string[],
): Pick<TlsOptions, 'ALPNCallback' | 'ALPNProtocols'> {
  if (chooseAlpn === undefined) return { ALPNProtocols: [...(alpn ?? innerAlpn)] }
  return { ALPNCallback: ({ protocols }) => chooseAlpn(protocols) }
}

/** Lets through whom it has verified. @returns the connections that are open */
function guard(server: Server, gate: Gate): ReadonlySet<Socket> {
  const { source, authorize, behind, clock, onRefused } = gate
  const sockets = new Set<Socket>()
  const refuse = (socket: Socket, error: unknown) => {
    const from = addressOf(socket)
    socket.destroy() // fails closed: nothing behind has seen the connection
    onRefused(toRefusal(error), from)
  }
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    try {
      usableIdentity(source, clock) // a withdrawn or expired SVID is not even shown
    } catch (error) {
      refuse(socket, error)
    }
  })
  server.on('tlsClientError', (error, socket) => {
    // OpenSSL's own short reason, where there is one.
    const why = 'reason' in error ? String(error.reason) : error.message
    const refusal = new IdentityError('CALLER_UNIDENTIFIED', `the TLS handshake failed: ${why}`)
    const from = addressOf(socket)
    socket.destroy() // Node leaves a handshake that takes too long to us
    onRefused(refusal, from)
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => {}) // heard by whoever serves it; in between it must not end the process
    try {
      const judge = { authorize, clock, peer: 'client' } as const
      const peer = judgeSocket(socket, usableIdentity(source, clock), judge)
      behind.requireAlpn(socket.alpnProtocol)
      markPeer(socket, peer)
      behind.serve(socket, peer.id)
    } catch (error) {
      refuse(socket, error)
    }
  })
  return sockets
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`
}

function toRefusal(error: unknown): IdentityError {
  if (error instanceof IdentityError) return error
  return new IdentityError('CERTIFICATE_UNTRUSTED', reasonOf(error), { cause: error })
}
