/**
 * The server's TCP port: TLS that asks for a client certificate, checks it at once by our own rules, and hands
 * the connection to gRPC. A certificate that cannot be verified ends the connection; having none does not.
 *
 * @see SPIRE API §1 — server TCP endpoint
 */
import { constants, type KeyObject, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { type Server, ServerCredentials } from '@grpc/grpc-js'
import type { Log } from '../../log/open-log.ts'
import { peerChain } from '../../proto/peer-chain.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { toPem } from '../../spiffe/x509/pem.ts'
import { addressOf, type TlsCaller } from './caller.ts'
import { identifyPeer, type TrustDeps } from './identify-peer.ts'

/** The server's own SVID and its successors. */
export interface ServerSvidSource {
  current(): { readonly chain: readonly Uint8Array[]; readonly key: KeyObject }
  /** @returns how to stop listening */
  onChange(listener: () => void): () => void
}

export interface TlsListenerOptions extends TrustDeps {
  readonly bindAddress: string
  readonly bindPort: number
  readonly server: Server
  readonly serverSvid: ServerSvidSource
  readonly log: Log
  /** 10 s if not given. */
  readonly handshakeTimeoutMs?: number | undefined
  /** Lets the calls in flight finish, when this stops listening. */
  drain(): Promise<void>
}

export interface TlsListener extends AsyncDisposable {
  /** The port that was bound; differs from the wanted one only when that was 0. */
  readonly port: number
  callerOf(peer: string): TlsCaller
}

/** Hybrid post-quantum first; the rest in the order of Node's own default. */
const GROUPS = 'X25519MLKEM768:X25519:P-256:P-384'
/**
 * A node that vanished is noticed within a minute. By TCP: a ping of gRPC's on a connection that has reached its age
 * fails, and takes the streams down that may go on there (grpc-js 1.14.7).
 */
const KEEPALIVE_AFTER_MS = 30_000
const HANDSHAKE_TIMEOUT_MS = 10_000
/** Agents keep one or two connections each. */
const MAX_CONNECTIONS = 50_000
/** What has been written may still be on its way when the last call has ended. */
const LINGER_MS = 500

/** @throws IdentityError CONFIG_INVALID when the address cannot be bound, saying why */
export async function listenTls(options: TlsListenerOptions): Promise<TlsListener> {
  const { bindAddress, bindPort, server, serverSvid, log } = options
  const { handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = options
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  const callers = new Map<string, TlsCaller>()
  const listener = createServer({
    ...tlsOptions(serverSvid),
    ALPNProtocols: ['h2'],
    requestCert: true,
    // We verify ourselves, below: OpenSSL would take the roots of one trust domain for those of all.
    rejectUnauthorized: false,
    handshakeTimeout: handshakeTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelay: KEEPALIVE_AFTER_MS,
  })
  listener.maxConnections = MAX_CONNECTIONS
  listener.on('tlsClientError', (error, socket) => {
    socket.destroy() // Node leaves a handshake that takes too long to us; unclosed, it would count for ever
    log.debug({ err: error }, 'TLS handshake failed')
  })
  const sockets = openSocketsOf(listener)
  const admit = async (socket: TLSSocket) => {
    // Until gRPC takes over, nobody else listens; an unheard error would end the process.
    socket.on('error', (error) => log.debug({ err: error }, 'Connection failed'))
    const address = { ip: plainIp(socket.remoteAddress), port: socket.remotePort ?? 0 }
    try {
      const caller = await identify(socket, address, options)
      if (socket.destroyed) return
      // The key is what a handler sees as its peer; unguessable, so no header can forge it.
      const key = `tls:${randomUUID()}`
      callers.set(key, caller)
      socket.once('close', () => callers.delete(key))
      Object.defineProperty(socket, 'remoteAddress', { value: key })
      Object.defineProperty(socket, 'remotePort', { value: undefined })
      injector.injectConnection(socket)
    } catch (error) {
      socket.destroy() // fails closed: no connection for a certificate we cannot vouch for
      const fields = { caller_addr: addressOf(address), reason: reasonOf(error) }
      log.warn(fields, 'Refused a TLS connection')
    }
  }
  listener.on('secureConnection', (socket: TLSSocket) => void admit(socket))
  await bind(listener, bindAddress, bindPort)
  const showSvid = () => listener.setSecureContext(tlsOptions(serverSvid))
  const stopRotation = serverSvid.onChange(showSvid)
  showSvid() // it may have been renewed while the port was being bound
  const bound = listener.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : bindPort,
    callerOf(peer) {
      const caller = callers.get(peer)
      if (caller === undefined) {
        throw new IdentityError('CALLER_UNIDENTIFIED', 'the connection has closed')
      }
      return caller
    },
    async [Symbol.asyncDispose]() {
      stopRotation()
      listener.close()
      await options.drain()
      await closeAll(sockets, options.clock)
    },
  }
}

function openSocketsOf(listener: ReturnType<typeof createServer>): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

async function closeAll(sockets: ReadonlySet<Socket>, clock: Clock): Promise<void> {
  const closed = new AbortController()
  const closing = [...sockets].map((socket) => once(socket, 'close'))
  void Promise.allSettled(closing).then(() => closed.abort())
  if (closing.length > 0) await clock.sleep(LINGER_MS, closed.signal)
  for (const socket of sockets) socket.destroy()
}

/** Everything that `setSecureContext` replaces, so that a rotation loses none of it. */
function tlsOptions(serverSvid: ServerSvidSource): TlsOptions {
  const { chain, key } = serverSvid.current()
  return {
    cert: chain.map((der) => toPem('CERTIFICATE', der)).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    minVersion: 'TLSv1.2',
    ecdhCurve: GROUPS,
    // A resumed session would carry an old verdict about its certificate. Node keeps no session cache of its own.
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
}

/** @throws IdentityError saying why nobody may call over this connection */
async function identify(
  socket: TLSSocket,
  address: { readonly ip: string; readonly port: number },
  deps: TrustDeps,
): Promise<TlsCaller> {
  if (socket.isSessionReused()) {
    throw new IdentityError('CERTIFICATE_UNTRUSTED', 'TLS sessions are never resumed here')
  }
  if (socket.alpnProtocol !== 'h2') {
    throw new IdentityError('REQUEST_INVALID', 'the client did not offer h2 by ALPN')
  }
  return { ...(await identifyPeer(peerChain(socket.getPeerCertificate(true)), deps)), ...address }
}

/** An IPv4 client of a dual-stack socket counts as the same caller as over IPv4. */
function plainIp(remoteAddress: string | undefined): string {
  return (remoteAddress ?? '').replace(/^::ffff:/i, '')
}

async function bind(
  listener: ReturnType<typeof createServer>,
  address: string,
  port: number,
): Promise<void> {
  try {
    listener.listen(port, address)
    await once(listener, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // what `listen` fails with
    const where = addressOf({ ip: address, port })
    const why =
      code === 'EADDRINUSE'
        ? `another process is listening on ${where}; stop it or choose another bind_port`
        : code === 'EACCES'
          ? `no permission to listen on ${where}; choose a bind_port above 1023`
          : `cannot listen on ${where}: ${reasonOf(error)}`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
}
