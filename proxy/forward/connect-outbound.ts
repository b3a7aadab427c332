/** The way to a destination of the mesh as its configuration has it: mutual TLS with the destination itself, or a tunnel. */
import type { Duplex } from 'node:stream'
import { showAddress } from '../../config/address.ts'
import type { OutboundConfig } from '../config.ts'
import { openTunnel } from '../hbone/open-tunnel.ts'
import type { HbonePool } from '../hbone/pool.ts'
import { acceptServers } from '../identity/accepted-peers.ts'
import type { ProxyContext } from '../proxy.ts'
import type { Party } from '../telemetry/parties.ts'
import { connectSecured } from './connect-secured.ts'
import type { Inlet } from './inlet.ts'

export interface OutboundWay {
  readonly context: ProxyContext
  readonly config: OutboundConfig
  readonly pool: HbonePool
  /** The workload behind us. */
  readonly self: Party
}

export interface How {
  /** `ip:port` of whoever connected to us; undefined: the connection may carry requests of several. */
  readonly client: string | undefined
  /** Offered where the destination is spoken to itself and the configuration names none. */
  readonly alpn: readonly string[]
  /** Used where the connection can have one. */
  readonly inlet?: Inlet | undefined
}

/** @throws IdentityError as `connectSecured` and `openTunnel`; the system's error when there is no connection */
export async function connectOutbound(
  { context, config, pool, self }: OutboundWay,
  { client, alpn, inlet }: How,
  signal: AbortSignal,
): Promise<Duplex> {
  if (config.hbone === undefined) {
    const authorize = acceptServers(config.authorize)
    const offered = { authorize, alpn: config.alpn ?? alpn, inlet }
    return await connectSecured(context, config, offered, signal)
  }
  const peer = { name: config.name, address: config.hbone, authorize: config.authorize }
  const authority = showAddress(config.upstream)
  const { traceIds } = context
  const { service } = config
  return await openTunnel({ pool, peer, authority, client, service, self, traceIds }, signal)
}
