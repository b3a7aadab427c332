/**
 * The sockets of the Broker API: mutual TLS over a Unix socket, over TCP, or both, in front of one gRPC server. A connection
 * whose certificate is not that of a broker is closed before a call is read from it.
 *
 * @see Broker-Endpoint §3 — transport
 */
import { constants, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type TLSSocket, type TlsOptions, type Server as TlsServer } from 'node:tls'
import type { Server } from '@grpc/grpc-js'
import type { Log } from '../../log/open-log.ts'
import { peerChain } from '../../proto/peer-chain.ts'
import { uncompressedOnly } from '../../proto/refuse-compressed.ts'
import { bindWithMode } from '../../proto/socket-file.ts'
import { prepareSocketPath } from '../../proto/unix-listener.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { KEY_EXCHANGE_GROUPS, PQ_KEY_EXCHANGE_GROUPS } from '../../spiffe/key-exchange.ts'
import { toPemChain } from '../../spiffe/x509/pem.ts'
import type { AgentSvid } from '../node/agent-svid.ts'
import {
  type BrokerPeer,
  type JudgeBrokerDeps,
  judgeBroker,
  type Transport,
} from './broker-peer.ts'
import type { BrokerSettings } from './settings.ts'

export interface BrokerListenerOptions extends JudgeBrokerDeps {
  readonly settings: BrokerSettings
  readonly server: Server
  /** What the agent shows; asked for before each handshake. */
  readonly svid: () => AgentSvid
  /** Only post-quantum key exchange, which only TLS 1.3 has. */
  readonly requirePqKem: boolean
  readonly log: Log
}

export interface BrokerListener extends AsyncDisposable {
  callerOf(peer: string): BrokerPeer
  /** The TCP port that was bound; undefined without one. */
  readonly port: number | undefined
}

/** Owner and group, nobody else. */
const SOCKET_MODE = 0o770
const HANDSHAKE_TIMEOUT_MS = 10_000
const KEEPALIVE_AFTER_MS = 30_000
/** Brokers are a few programs with one or two connections each. */
const MAX_CONNECTIONS = 1_024

/** Disposing closes the sockets and cuts every connection. @throws IdentityError CONFIG_INVALID when one cannot be bound */
export async function listenBroker(options: BrokerListenerOptions): Promise<BrokerListener> {
  const { settings, server, log } = options
  const { socketPath, bindAddress } = settings
  const injector = server.createConnectionInjector(uncompressedOnly())
  const callers = new Map<string, BrokerPeer>()
  const sockets = new Set<TLSSocket>()
  const listeners: TlsServer[] = []
  const admit = (socket: TLSSocket, transport: Transport) => {
    socket.on('error', (err) => log.debug({ err }, 'A connection of a broker failed'))
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    try {
      const peer = identify(socket, transport, options)
      // The key is what a handler sees as its peer; unguessable, so no header can forge it.
      const key = `broker:${randomUUID()}`
      callers.set(key, peer)
      socket.once('close', () => callers.delete(key))
      Object.defineProperty(socket, 'remoteAddress', { value: key })
      Object.defineProperty(socket, 'remotePort', { value: undefined })
      injector.injectConnection(socket)
    } catch (error) {
      socket.destroy() // fails closed: no connection for a certificate that is no broker's
      log.warn({ transport, reason: reasonOf(error) }, 'Refused a connection to the Broker API')
    }
  }
  const open = async (transport: Transport, where: object, shown: string) => {
    const listener = openTls(options, (socket) => admit(socket, transport))
    listeners.push(listener)
    try {
      if (transport === 'unix') bindWithMode(SOCKET_MODE, () => listener.listen(where))
      else listener.listen(where)
      await once(listener, 'listening')
    } catch (cause) {
      const why = `cannot serve the Broker API on ${shown}: ${reasonOf(cause)}`
      throw new IdentityError('CONFIG_INVALID', why, { cause })
    }
    return listener
  }
  const close = () => {
    for (const listener of listeners) if (listener.listening) listener.close()
    for (const socket of sockets) socket.destroy()
  }
  try {
    if (socketPath !== undefined) {
      await prepareSocketPath(socketPath)
      await open('unix', { path: socketPath }, socketPath)
    }
    const tcp =
      bindAddress === undefined
        ? undefined
        : await open('tcp', bindAddress, `${bindAddress.host}:${bindAddress.port}`)
    const bound = tcp?.address()
    return {
      port: typeof bound === 'object' ? bound?.port : undefined,
      callerOf(peer) {
        const caller = callers.get(peer)
        if (caller === undefined) {
          throw new IdentityError('CALLER_UNIDENTIFIED', 'the connection has closed')
        }
        return caller
      },
      async [Symbol.asyncDispose]() {
        close()
      },
    }
  } catch (error) {
    close()
    throw error
  }
}

function openTls(options: BrokerListenerOptions, admit: (socket: TLSSocket) => void): TlsServer {
  let shown = options.svid()
  const listener = createServer({
    ...tlsOptions(options, shown),
    ALPNProtocols: ['h2'],
    requestCert: true,
    // We verify ourselves: OpenSSL would take the roots of one trust domain for those of all.
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelay: KEEPALIVE_AFTER_MS,
  })
  listener.maxConnections = MAX_CONNECTIONS
  // Runs before the handshake, so that nobody is shown an SVID that has been renewed.
  listener.prependListener('connection', () => {
    const current = options.svid()
    if (current === shown) return
    shown = current
    listener.setSecureContext(tlsOptions(options, current))
  })
  listener.on('tlsClientError', (err, socket) => {
    socket.destroy() // Node leaves a handshake that takes too long to us
    options.log.debug({ err }, 'A TLS handshake with a broker failed')
  })
  listener.on('secureConnection', admit)
  return listener
}

function tlsOptions(
  { requirePqKem }: BrokerListenerOptions,
  { chain, key }: AgentSvid,
): TlsOptions {
  return {
    cert: toPemChain(chain),
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    minVersion: requirePqKem ? 'TLSv1.3' : 'TLSv1.2',
    ecdhCurve: requirePqKem ? PQ_KEY_EXCHANGE_GROUPS : KEY_EXCHANGE_GROUPS,
    // A resumed session would carry an old verdict about its certificate.
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
}

function identify(
  socket: TLSSocket,
  transport: Transport,
  options: BrokerListenerOptions,
): BrokerPeer {
  if (socket.isSessionReused()) {
    throw new IdentityError('CERTIFICATE_UNTRUSTED', 'TLS sessions are never resumed here')
  }
  if (socket.alpnProtocol !== 'h2') {
    throw new IdentityError('REQUEST_INVALID', 'the client did not offer h2 by ALPN')
  }
  return judgeBroker(peerChain(socket.getPeerCertificate(true)), transport, options)
}
