/**
 * The server's TCP port: TLS that asks for a client certificate, checks it at once by our own rules, and hands
 * the connection to gRPC. A certificate that cannot be verified ends the connection; having none does not.
 *
 * @see SPIRE API §1 — server TCP endpoint
 */
import { constants, type KeyObject, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Server as NetServer, Socket } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import type { Server } from '@grpc/grpc-js'
import type { Log } from '../../log/open-log.ts'
import { peerChain } from '../../proto/peer-chain.ts'
import { uncompressedOnly } from '../../proto/refuse-compressed.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { KEY_EXCHANGE_GROUPS, PQ_KEY_EXCHANGE_GROUPS } from '../../spiffe/key-exchange.ts'
import { toPemChain } from '../../spiffe/x509/pem.ts'
import type { Cidr } from '../config/cidr.ts'
import { addressOf, type TlsCaller } from './caller.ts'
import { cutFloods } from './cut-floods.ts'
import { identifyPeer, type TrustDeps } from './identify-peer.ts'
import { plainIp } from './plain-ip.ts'
import { openProxyFront } from './proxy-front.ts'

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
  /** Serves callers without a certificate, within bounds of its own; `server` does if not given. */
  readonly anonymousServer?: Server | undefined
  readonly serverSvid: ServerSvidSource
  readonly log: Log
  /** Load balancers whose PROXY headers are believed; nobody's when it is empty or left out. */
  readonly trustedProxies?: readonly Cidr[] | undefined
  /** Only post-quantum key exchange, which only TLS 1.3 has. */
  readonly requirePqKem?: boolean | undefined
  /** False: callers prove themselves in another way, and their certificates are not asked for. True if not given. */
  readonly asksForCertificate?: boolean | undefined
  /** Clients that speak HTTP/2 without having agreed on it. False if not given. */
  readonly takesNoAlpn?: boolean | undefined
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

/**
 * A node that vanished is noticed within a minute. By TCP: a ping of gRPC's on a connection that has reached its age
 * fails, and takes the streams down that may go on there (grpc-js 1.14.7).
 */
const KEEPALIVE_AFTER_MS = 30_000
const HANDSHAKE_TIMEOUT_MS = 10_000
/** Agents keep one or two connections each. */
const MAX_CONNECTIONS = 50_000
/**
 * Without a certificate one may attest and read the bundle. That takes seconds, and a minute at most in the queue: who
 * stays longer holds streams open without a message.
 */
const MAX_ANONYMOUS_MS = 5 * 60_000
/** What has been written may still be on its way when the last call has ended. */
const LINGER_MS = 500

/** @throws IdentityError CONFIG_INVALID when the address cannot be bound, saying why */
export async function listenTls(options: TlsListenerOptions): Promise<TlsListener> {
  const { bindAddress, bindPort, server, serverSvid, log } = options
  const { handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = options
  const injectorOf = (one: Server) => one.createConnectionInjector(uncompressedOnly())
  const injector = injectorOf(server)
  const { anonymousServer } = options
  const anonymousInjector = anonymousServer === undefined ? injector : injectorOf(anonymousServer)
  const callers = new Map<string, TlsCaller>()
  const floods = cutFloods()
  const listener = createServer({
    ...tlsOptions(options),
    ALPNProtocols: ['h2'],
    requestCert: options.asksForCertificate ?? true,
    // We verify ourselves, below: OpenSSL would take the roots of one trust domain for those of all.
    rejectUnauthorized: false,
    handshakeTimeout: handshakeTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelay: KEEPALIVE_AFTER_MS,
  })
  listener.on('tlsClientError', (error, socket) => {
    socket.destroy() // Node leaves a handshake that takes too long to us; unclosed, it would count for ever
    log.debug({ err: error }, 'TLS handshake failed')
  })
  const { server: port, sourceOf } = openPort(listener, options)
  port.maxConnections = MAX_CONNECTIONS
  const sockets = openSocketsOf(port)
  const admit = async (socket: TLSSocket) => {
    // Until gRPC takes over, nobody else listens; an unheard error would end the process.
    socket.on('error', (error) => log.debug({ err: error }, 'Connection failed'))
    const peer = { ip: plainIp(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 }
    const address = sourceOf(peer)
    try {
      const caller = await identify(socket, address, options)
      if (socket.destroyed) return
      // The key is what a handler sees as its peer; unguessable, so no header can forge it.
      const key = `tls:${randomUUID()}`
      callers.set(key, caller)
      socket.once('close', () => callers.delete(key))
      Object.defineProperty(socket, 'remoteAddress', { value: key })
      Object.defineProperty(socket, 'remotePort', { value: undefined })
      const isAnonymous = caller.kind === 'anonymous'
      ;(isAnonymous ? anonymousInjector : injector).injectConnection(socket)
      if (!isAnonymous) return
      void endLater(socket, options.clock)
      const tell = () => log.debug({ caller_addr: addressOf(address) }, 'Cut a flood of streams')
      floods.follow(socket, key, tell)
    } catch (error) {
      socket.destroy() // fails closed: no connection for a certificate we cannot vouch for
      const fields = { caller_addr: addressOf(address), reason: reasonOf(error) }
      log.warn(fields, 'Refused a TLS connection')
    }
  }
  listener.on('secureConnection', (socket: TLSSocket) => void admit(socket))
  await bind(port, bindAddress, bindPort)
  const showSvid = () => listener.setSecureContext(tlsOptions(options))
  const stopRotation = serverSvid.onChange(showSvid)
  showSvid() // it may have been renewed while the port was being bound
  const bound = port.address()
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
      port.close()
      await options.drain()
      await closeAll(sockets, options.clock)
      floods[Symbol.dispose]()
    },
  }
}

/** What listens: the TLS server itself, or what reads PROXY headers before it. */
function openPort(
  listener: NetServer,
  { trustedProxies = [], handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS, log }: TlsListenerOptions,
): Pick<ReturnType<typeof openProxyFront>, 'server' | 'sourceOf'> {
  if (trustedProxies.length === 0) return { server: listener, sourceOf: (peer) => peer }
  return openProxyFront({
    trusted: trustedProxies,
    headerTimeoutMs: handshakeTimeoutMs,
    keepAliveAfterMs: KEEPALIVE_AFTER_MS,
    accept: (socket) => listener.emit('connection', socket),
    onRefused: (address, reason) =>
      log.warn({ caller_addr: addressOf(address), reason }, 'Refused a connection'),
  })
}

async function endLater(socket: TLSSocket, clock: Clock): Promise<void> {
  const closed = new AbortController()
  socket.once('close', () => closed.abort())
  await clock.sleep(MAX_ANONYMOUS_MS, closed.signal)
  socket.destroy()
}

function openSocketsOf(listener: NetServer): ReadonlySet<Socket> {
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
function tlsOptions({ serverSvid, requirePqKem = false }: TlsListenerOptions): TlsOptions {
  const { chain, key } = serverSvid.current()
  return {
    cert: toPemChain(chain),
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    minVersion: requirePqKem ? 'TLSv1.3' : 'TLSv1.2',
    ecdhCurve: requirePqKem ? PQ_KEY_EXCHANGE_GROUPS : KEY_EXCHANGE_GROUPS,
    // A resumed session would carry an old verdict about its certificate. Node keeps no session cache of its own.
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
}

/** @throws IdentityError saying why nobody may call over this connection */
async function identify(
  socket: TLSSocket,
  address: { readonly ip: string; readonly port: number },
  deps: Pick<TlsListenerOptions, keyof TrustDeps | 'takesNoAlpn'>,
): Promise<TlsCaller> {
  if (socket.isSessionReused()) {
    throw new IdentityError('CERTIFICATE_UNTRUSTED', 'TLS sessions are never resumed here')
  }
  // Node says false where nothing was offered; what was offered and is not ours ends in the handshake.
  const isSilent = socket.alpnProtocol === false && deps.takesNoAlpn === true
  if (socket.alpnProtocol !== 'h2' && !isSilent) {
    throw new IdentityError('REQUEST_INVALID', 'the client did not offer h2 by ALPN')
  }
  return { ...(await identifyPeer(peerChain(socket.getPeerCertificate(true)), deps)), ...address }
}

async function bind(listener: NetServer, address: string, port: number): Promise<void> {
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
