/**
 * The listener for what the workload calls: it takes plaintext from the workload and carries it on by mutual TLS, to whoever
 * is expected at the other end and to nobody else. What policy says is the business of that other end.
 */
import type { Socket } from 'node:net'
import { type Address, showAddress } from '../../config/address.ts'
import type { ConnectionFacts } from '../../policy/facts.ts'
import type { Verdict } from '../../policy/verdict.ts'
import type { Endpoint } from '../../proto/socket-options.ts'
import type { OutboundConfig } from '../config.ts'
import { connectOutbound } from '../forward/connect-outbound.ts'
import { newInlet } from '../forward/inlet.ts'
import type { HbonePool } from '../hbone/pool.ts'
import type { ProxyContext } from '../proxy.ts'
import { type Party, strangerParty } from '../telemetry/parties.ts'
import { type Listener, listenAt } from './accept.ts'
import { destinationOf, plainIp, showEndpoint, sourceOf } from './addresses.ts'
import { lookAtPlaintext } from './first-bytes.ts'
import type { Incoming } from './incoming.ts'
import type { ServeHttp } from './serve-http.ts'
import { serveTcp } from './serve-tcp.ts'

export interface OutboundOptions {
  readonly context: ProxyContext
  readonly config: OutboundConfig
  /** What leaves is governed by no policy; this is the permit of that. */
  readonly permitAll: (facts: ConnectionFacts) => Verdict
  /** The workload behind us. */
  readonly self: Party
  readonly pool: HbonePool
  /** Where a captured connection was going; undefined: it was made to this listener. */
  readonly target?: Endpoint
  readonly serveHttp: ServeHttp
}

/** What the mesh's own clients offer; whatever stands after `istio` is for servers that know nothing of a mesh. */
export const MESH_ALPN = {
  http: ['istio-http/1.1', 'istio', 'http/1.1'],
  http2: ['istio-h2', 'istio', 'h2'],
  tcp: ['istio'],
} as const

/** @throws IdentityError CONFIG_INVALID when the address cannot be had */
export async function listenOutbound(options: OutboundOptions): Promise<Listener> {
  const { context, config } = options
  const open = new Set<Socket>()
  const listener = await listenAt({
    name: config.name,
    address: config.listen,
    key: `proxy.outbound.${config.name}.listen`,
    ...{ maxConnections: context.maxConnections, isShared: context.isShared },
    onConnection(socket) {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      serveOutbound(options, socket)
    },
  })
  return {
    ...listener,
    async [Symbol.asyncDispose]() {
      await listener[Symbol.asyncDispose]()
      for (const socket of open) socket.destroy()
    },
  }
}

/** One connection of the workload, from its first byte. */
export function serveOutbound(options: OutboundOptions, socket: Socket): void {
  const { config, context } = options
  const incoming = incomingOf(options, socket)
  switch (config.protocol) {
    case 'tcp':
      beginTcp(options, incoming)
      return
    case 'http':
    case 'http2':
      options.serveHttp(incoming, () => undefined)
      return
    case 'auto':
      if (config.hbone !== undefined) {
        beginTcp(options, incoming) // a tunnel carries anything, and its other end looks into it
        return
      }
      lookAtPlaintext(context, socket, (kind) => {
        if (kind === 'other') beginTcp(options, incoming)
        else options.serveHttp(incoming, () => undefined)
      })
      return
    default:
      config.protocol satisfies never
  }
}

function beginTcp(options: OutboundOptions, incoming: Incoming): void {
  const { context, config, permitAll } = options
  const how = { client: incoming.source, alpn: MESH_ALPN.tcp }
  serveTcp(context, incoming, {
    judge: () => permitAll(incoming.facts),
    stillAdmits: () => undefined,
    connect: (signal) => connectOutbound(options, { ...how, inlet: newInlet() }, signal),
    upstream: showAddress(config.upstream),
  })
}

function incomingOf(options: OutboundOptions, stream: Socket): Incoming {
  const { context, config, self, target } = options
  const sourceIp = plainIp(stream.remoteAddress)
  const [only, ...others] = config.authorize
  // Several may answer: who did is in the upstream connection's own entry.
  const expected = only?.kind === 'id' && others.length === 0 ? only.id : undefined
  const service = config.service ?? hostOf(config.upstream)
  const facts: ConnectionFacts = {
    peer: undefined,
    ...{ sourceIp, remoteIp: sourceIp },
    destinationIp: target?.ip ?? plainIp(stream.localAddress),
    destinationPort: config.upstream.kind === 'tcp' ? config.upstream.port : 0,
    sni: undefined,
  }
  return {
    ...{ direction: 'outbound', listener: config.name, stream, facts, peer: undefined },
    openedAt: context.clock.now(),
    source: sourceOf(stream),
    destination:
      target === undefined ? destinationOf(stream) : showEndpoint(target.ip, target.port),
    parties: {
      reporter: 'source',
      source: self,
      destination: strangerParty(expected, service),
      isMutualTls: true,
    },
  }
}

/** As Istio names services: without the port. */
const hostOf = (upstream: Address): string =>
  upstream.kind === 'tcp' ? upstream.host : showAddress(upstream)
