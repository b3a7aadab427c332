/**
 * The listener for tunnels of the mesh: mutual TLS 1.3 by which both ends show who they are, HTTP/2 and nothing else inside,
 * and a tunnel to a port of the workload for each CONNECT. Fails closed: who is not verified, or speaks anything else,
 * gets nothing.
 *
 * @see HBONE — TLS, ALPN, settings
 */
import { performServerHandshake } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { showAddress } from '../../config/address.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Authorize } from '../../workload/tls/authorize.ts'
import { createMtlsServer } from '../../workload/tls/mtls-server.ts'
import { verifiedPeerOf } from '../../workload/tls/peer-id.ts'
import type { HboneConfig } from '../config/mesh-transport.ts'
import type { Enforcement } from '../enforce/enforcement.ts'
import { endWithPeer } from '../http2/end-with-peer.ts'
import { type Listener, listenAt } from '../listen/accept.ts'
import { destinationOf, sourceOf } from '../listen/addresses.ts'
import type { WorkloadDestinations } from '../listen/workload-destinations.ts'
import type { ProxyContext } from '../proxy.ts'
import { refusalLine } from '../telemetry/access-lines.ts'
import { callTo, type Party } from '../telemetry/parties.ts'
import { acceptTunnel } from './accept-tunnel.ts'
import { keepAlive } from './keep-alive.ts'
import { CONNECTION_WINDOW_BYTES, SERVER_SESSION } from './session-settings.ts'

export interface HboneOptions {
  readonly context: ProxyContext
  readonly config: HboneConfig
  readonly enforcement: Enforcement
  readonly authorize: Authorize
  /** The workload behind us. */
  readonly self: Party
  readonly destinations: WorkloadDestinations
  /** The ports of the proxy itself, which no tunnel leads to. */
  readonly ownPorts: ReadonlySet<number>
}

const H2 = 'h2'

/** @throws IdentityError CONFIG_INVALID when the address cannot be had; as `identity.current` */
export async function listenHbone(options: HboneOptions): Promise<Listener> {
  const { context, config, authorize } = options
  const open = new Set<TLSSocket>()
  const mtls = createMtlsServer(
    context.identity,
    authorize,
    (socket) => {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      serveSession(options, socket)
    },
    {
      chooseAlpn: (offered) => (offered.includes(H2) ? H2 : undefined),
      minVersion: 'TLSv1.3',
      clock: context.clock,
      onRefused: (error, source) => refuse(options, source, error),
    },
  )
  const listener = await listenAt({
    ...{ name: config.name, address: config.listen, key: 'proxy.hbone.listen' },
    ...{ maxConnections: context.maxConnections, isShared: context.isShared },
    onConnection: (socket) => mtls.accept(socket),
  })
  return {
    ...listener,
    async [Symbol.asyncDispose]() {
      await listener[Symbol.asyncDispose]()
      await mtls[Symbol.asyncDispose]()
      for (const socket of open) socket.destroy()
    },
  }
}

function serveSession(options: HboneOptions, socket: TLSSocket): void {
  const { context, config } = options
  if (socket.alpnProtocol !== H2) {
    const source = sourceOf(socket)
    socket.destroy()
    refuse(options, source, new IdentityError('REQUEST_INVALID', 'no ALPN, expected h2'))
    return
  }
  const peer = verifiedPeerOf(socket)
  const { connections, deadlines, clock } = context
  endWithPeer(socket)
  const session = performServerHandshake(socket, SERVER_SESSION)
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
  session.on('error', () => {}) // what follows from it is done on close
  session.on('stream', (stream, headers) =>
    acceptTunnel(options, { socket, peer }, stream, headers),
  )
  keepAlive(session, deadlines)
  const leave = connections.add({
    ...{ direction: 'inbound', listener: config.name, protocol: 'hbone', peer },
    ...{ source: sourceOf(socket), destination: destinationOf(socket), openedAt: clock.now() },
    rejudge: () => undefined, // its tunnels are entered and judged each by itself
    drain: () => session.close(),
    close: (reason) => session.destroy(new Error(reason)),
    report: () => undefined, // pings tell whether it lives
  })
  session.once('close', () => {
    leave()
    socket.destroy()
  })
}

function refuse(
  { context, config, self }: HboneOptions,
  source: string,
  error: IdentityError,
): void {
  context.metrics.failed(callTo(self, undefined), 'TLS_FAILURE')
  const destination = showAddress(config.listen)
  refusalLine(context, { listener: config.name, source, destination }, error, 'TLS_FAILURE')
}
