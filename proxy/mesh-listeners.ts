/** Opens the listeners that no block of the configuration has for itself: for tunnels, and for captured connections. */
import { createMarkedSocket, originalDestinationOf } from '../proto/socket-options.ts'
import { IdentityError } from '../spiffe/error.ts'
import { destinationTable } from './capture/destination-table.ts'
import { listenCapturedOutbound } from './capture/listen-outbound.ts'
import { redirectedFrom } from './capture/redirected.ts'
import { wildcard } from './capture/wildcard.ts'
import type { CaptureConfig, HboneConfig } from './config/mesh-transport.ts'
import type { ProxyConfig } from './config.ts'
import { connectPlain } from './forward/connect-plain.ts'
import { listenHbone } from './hbone/listen-hbone.ts'
import type { HbonePool } from './hbone/pool.ts'
import { inboundRoute, outboundRoute, permitAll, type RouteOptions } from './http-routes.ts'
import { type AcceptedDomains, acceptClients } from './identity/accepted-peers.ts'
import type { Listener } from './listen/accept.ts'
import { createHttpListener } from './listen/http-session.ts'
import { listenInbound } from './listen/inbound.ts'
import type { Locate } from './listen/located.ts'
import { type WorkloadDestinations, workloadDestinations } from './listen/workload-destinations.ts'

export interface MeshListenersOptions extends RouteOptions {
  readonly config: ProxyConfig
  readonly domains: AcceptedDomains
  readonly pool: HbonePool
}

/** Told of each as soon as it is open, so that none is forgotten when the next cannot be had. */
export interface Opened {
  listener(listener: Listener): void
  /** To be disposed of when no more connections are taken. */
  resource(resource: Disposable): void
}

/** @throws IdentityError CONFIG_INVALID when an address cannot be had, UNAVAILABLE when sockets may not be marked */
export async function openMeshListeners(
  options: MeshListenersOptions,
  opened: Opened,
): Promise<void> {
  const { hbone, capture } = options.config
  /** No tunnel and no captured connection leads to these. */
  const ownPorts = new Set<number>()
  const add = (listener: Listener) => {
    if (listener.address.kind === 'tcp') ownPorts.add(listener.address.port)
    opened.listener(listener)
  }
  if (hbone !== undefined) {
    const destinations = destinationsOf(options, hbone)
    opened.resource(destinations)
    add(await openHbone(options, hbone, destinations, ownPorts))
  }
  if (capture !== undefined) {
    // Whose connections rules would not tell finds out now, and not by connections that come back for ever.
    if (capture.mark !== undefined) createMarkedSocket(4, capture.mark).destroy()
    checkUser(capture)
    const destinations = destinationsOf(options, { ...capture, upstreamHost: undefined })
    opened.resource(destinations)
    add(await openCapturedInbound(options, capture, destinations, ownPorts))
    const outbound = await openCapturedOutbound(options, capture)
    opened.resource({ [Symbol.dispose]: outbound.release })
    add(outbound)
  }
}

/** @throws IdentityError CONFIG_INVALID */
function checkUser({ proxyUid }: CaptureConfig): void {
  const uid = process.getuid?.()
  if (proxyUid === undefined || uid === proxyUid) return
  const why = `proxy.capture.proxy_uid is ${proxyUid}, and the proxy runs as ${uid}`
  throw new IdentityError('CONFIG_INVALID', `${why}; run it as the user that its rules let pass`)
}

function destinationsOf(
  options: MeshListenersOptions,
  where: Pick<HboneConfig, 'forwardClientCert' | 'upstreamHost'>,
): WorkloadDestinations {
  const { context, config } = options
  const { forwardClientCert, upstreamHost } = where
  return workloadDestinations({
    protocols: config.workload.protocols,
    upstreamHost,
    connect: (upstream, signal) => connectPlain(upstream, signal, context.socketMark),
    openHttp: (upstream, connect) =>
      createHttpListener(context, inboundRoute(options, { upstream, forwardClientCert, connect })),
  })
}

function openHbone(
  { context, engine, self, domains }: MeshListenersOptions,
  config: HboneConfig,
  destinations: WorkloadDestinations,
  ownPorts: ReadonlySet<number>,
): Promise<Listener> {
  return listenHbone({
    ...{ context, config, enforcement: engine, self: self.party, destinations, ownPorts },
    authorize: acceptClients(domains, config.authorize),
  })
}

function openCapturedInbound(
  { context, engine, self, domains }: MeshListenersOptions,
  capture: CaptureConfig,
  destinations: WorkloadDestinations,
  ownPorts: ReadonlySet<number>,
): Promise<Listener> {
  const { authorize, forwardClientCert, minVersion, mtls } = capture
  const locate: Locate = (socket) => {
    const target = redirectedFrom(socket, originalDestinationOf)
    if ('refusal' in target) return target
    if (!ownPorts.has(target.port)) return destinations.at(target.ip, target.port)
    return { refusal: `port ${target.port} is the proxy's own, expected the workload's` }
  }
  return listenInbound({
    ...{ context, enforcement: engine, self: self.party, locate },
    config: {
      ...{ name: 'captured-inbound', listen: wildcard(capture.inboundPort), protocol: 'auto' },
      ...{ mtls, minVersion, authorize, forwardClientCert },
    },
    authorize: acceptClients(domains, authorize),
  })
}

function openCapturedOutbound(options: MeshListenersOptions, capture: CaptureConfig) {
  const { context, config, self, pool } = options
  return listenCapturedOutbound({
    ...{ context, config: capture, self: self.party, pool, originalDestinationOf },
    listen: wildcard(capture.outboundPort),
    destinations: destinationTable(config.destinations),
    permitAll: permitAll(self),
    openHttp: (outbound) => createHttpListener(context, outboundRoute(options, outbound, pool)),
  })
}
