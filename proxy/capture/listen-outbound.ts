/**
 * The listener for what the workload calls when all of it is captured: each connection goes on to where it was going, in the
 * way that its destination's block says.
 */
import type { Socket } from 'node:net'
import { type Address, showAddress } from '../../config/address.ts'
import type { ConnectionFacts } from '../../policy/facts.ts'
import type { Verdict } from '../../policy/verdict.ts'
import type { Endpoint } from '../../proto/socket-options.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { CaptureConfig, DestinationConfig } from '../config/mesh-transport.ts'
import type { OutboundConfig } from '../config.ts'
import { connectPlain } from '../forward/connect-plain.ts'
import type { HbonePool } from '../hbone/pool.ts'
import { type Listener, listenAt } from '../listen/accept.ts'
import { plainIp, showEndpoint, sourceOf } from '../listen/addresses.ts'
import type { HttpListener } from '../listen/http-session.ts'
import { leastRecent } from '../listen/least-recent.ts'
import { serveOutbound } from '../listen/outbound.ts'
import { serveTcp } from '../listen/serve-tcp.ts'
import type { ProxyContext } from '../proxy.ts'
import { refusalLine } from '../telemetry/access-lines.ts'
import { type Party, strangerParty } from '../telemetry/parties.ts'
import type { DestinationTable } from './destination-table.ts'
import { type OriginalDestinationOf, redirectedFrom } from './redirected.ts'

export interface CapturedOutboundOptions {
  readonly context: ProxyContext
  readonly config: CaptureConfig
  readonly listen: Address
  readonly destinations: DestinationTable
  readonly self: Party
  readonly pool: HbonePool
  readonly permitAll: (facts: ConnectionFacts) => Verdict
  readonly openHttp: (config: OutboundConfig) => HttpListener
  readonly originalDestinationOf: OriginalDestinationOf
}

export interface CapturedOutbound extends Listener {
  /** Gives up connections that are kept for later. */
  release(): void
}

const NAME = 'captured-outbound'
/** Addresses with connections kept for them. */
const MAX_DESTINATIONS = 1_024

interface Way {
  readonly config: OutboundConfig
  readonly http: HttpListener
}

/** @throws IdentityError CONFIG_INVALID when the port cannot be had */
export async function listenCapturedOutbound(
  options: CapturedOutboundOptions,
): Promise<CapturedOutbound> {
  const { context, listen } = options
  const open = new Set<Socket>()
  const ways = leastRecent<Way>(MAX_DESTINATIONS, ({ http }) => http[Symbol.dispose]())
  const wayTo = (target: Endpoint, destination: DestinationConfig) =>
    ways.at(`${destination.name} ${showEndpoint(target.ip, target.port)}`, () => {
      const config = outboundTo(listen, target, destination)
      return { config, http: options.openHttp(config) }
    })
  const release = () => {
    for (const { http } of ways.values()) http[Symbol.dispose]()
  }
  const listener = await listenAt({
    ...{ name: NAME, address: listen, key: 'proxy.capture.outbound_port' },
    ...{ maxConnections: context.maxConnections, isShared: context.isShared },
    onConnection(socket) {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      accept(options, socket, wayTo)
    },
  })
  return {
    ...listener,
    release,
    async [Symbol.asyncDispose]() {
      await listener[Symbol.asyncDispose]()
      release()
      for (const socket of open) socket.destroy()
    },
  }
}

function accept(
  options: CapturedOutboundOptions,
  socket: Socket,
  wayTo: (target: Endpoint, destination: DestinationConfig) => Way,
): void {
  const { context, config: capture, self, pool, permitAll } = options
  const target = redirectedFrom(socket, options.originalDestinationOf)
  if ('refusal' in target) {
    refuse(options, socket, target.refusal)
    return
  }
  const destination = options.destinations(target.ip, target.port)
  if (destination === undefined && capture.unlisted === 'refuse') {
    const where = showEndpoint(target.ip, target.port)
    const todo = 'add a destination block, or let unlisted pass'
    refuse(options, socket, `no destination block is about ${where}; ${todo}`)
    return
  }
  if (destination === undefined || destination.transport === 'plaintext') {
    passOn(options, socket, target, destination)
    return
  }
  const { config, http } = wayTo(target, destination)
  const serveHttp = http.serve
  serveOutbound({ context, config, self, pool, permitAll, target, serveHttp }, socket)
}

function outboundTo(
  listen: Address,
  { ip, port }: Endpoint,
  { name, transport, authorize, hbonePort, protocol, service }: DestinationConfig,
): OutboundConfig {
  return {
    ...{ name, listen, protocol, authorize, service },
    upstream: { kind: 'tcp', host: ip, port },
    minVersion: 'TLSv1.3',
    hbone: transport === 'hbone' ? { kind: 'tcp', host: ip, port: hbonePort } : undefined,
    alpn: undefined,
    serverName: undefined,
  }
}

/** As it is: to whoever is there, for nobody said that it is of the mesh. */
function passOn(
  { context, self, permitAll }: CapturedOutboundOptions,
  socket: Socket,
  target: Endpoint,
  destination: DestinationConfig | undefined,
): void {
  const upstream: Address = { kind: 'tcp', host: target.ip, port: target.port }
  const sourceIp = plainIp(socket.remoteAddress)
  const facts: ConnectionFacts = {
    ...{ peer: undefined, sourceIp, remoteIp: sourceIp, sni: undefined },
    ...{ destinationIp: target.ip, destinationPort: target.port },
  }
  const incoming = {
    ...({ direction: 'outbound', listener: NAME, stream: socket, facts, peer: undefined } as const),
    openedAt: context.clock.now(),
    source: sourceOf(socket),
    destination: showEndpoint(target.ip, target.port),
    parties: {
      reporter: 'source' as const,
      source: self,
      // Addresses outside would be labels without end.
      destination: strangerParty(undefined, destination?.service ?? destination?.name),
      isMutualTls: false,
    },
  }
  serveTcp(context, incoming, {
    judge: () => permitAll(facts),
    stillAdmits: () => undefined,
    connect: (signal) => connectPlain(upstream, signal, context.socketMark),
    upstream: showAddress(upstream),
  })
}

function refuse(
  { context, listen, self }: CapturedOutboundOptions,
  socket: Socket,
  why: string,
): void {
  const where = { listener: NAME, source: sourceOf(socket), destination: showAddress(listen) }
  socket.destroy()
  const destination = strangerParty(undefined)
  const parties = { reporter: 'source' as const, source: self, destination, isMutualTls: false }
  context.metrics.failed(parties, 'CONNECT')
  refusalLine(context, where, new IdentityError('REQUEST_INVALID', why), 'CONNECT', 'outbound')
}
