/** Opens every listener of the configuration, each with its judge and its way to where its connections go. */
import type { VerifyToken } from '../policy/authenticate-request.ts'
import type { InboundConfig, OutboundConfig, ProxyConfig } from './config.ts'
import type { Engine } from './enforce/engine.ts'
import { connectPlain } from './forward/connect-plain.ts'
import { type HbonePool, openHbonePool } from './hbone/pool.ts'
import { inboundRoute, outboundRoute, permitAll } from './http-routes.ts'
import { type AcceptedDomains, acceptClients } from './identity/accepted-peers.ts'
import type { Listener } from './listen/accept.ts'
import { createHttpListener, type HttpListener } from './listen/http-session.ts'
import { listenInbound } from './listen/inbound.ts'
import { fixedWorkload } from './listen/located.ts'
import { listenOutbound } from './listen/outbound.ts'
import { openMeshListeners } from './mesh-listeners.ts'
import type { NodeWorkloads } from './node-workloads.ts'
import type { ProxyContext } from './proxy.ts'
import type { Self } from './self.ts'

export interface ListenersOptions {
  readonly context: ProxyContext
  readonly config: ProxyConfig
  readonly engine: Engine
  readonly self: Self
  readonly verify: VerifyToken
  /** Left out: all listeners are for one workload. */
  readonly workloads?: NodeWorkloads
}

export interface Listeners extends AsyncDisposable {
  readonly open: readonly Listener[]
  /** Takes no more connections, and keeps none to upstream that nobody uses. */
  stop(): void
}

/** @throws IdentityError CONFIG_INVALID when an address cannot be had; then none stays open */
export async function openListeners(options: ListenersOptions): Promise<Listeners> {
  const { context, config } = options
  const open: Listener[] = []
  const https: Disposable[] = []
  // A tunnel is made by somebody: workloads share none.
  const pools = new Map<ProxyContext, HbonePool>()
  const poolOf = (owner: ProxyContext): HbonePool => {
    const pool = pools.get(owner) ?? openHbonePool(owner)
    pools.set(owner, pool)
    return pool
  }
  const close = async () => {
    for (const one of [...pools.values(), ...https]) one[Symbol.dispose]()
    await Promise.all(open.map((one) => one[Symbol.asyncDispose]()))
  }
  try {
    for (const one of config.inbound) {
      const own = { ...options, ...options.workloads?.of(one.ownWorkload) }
      const connect = (signal: AbortSignal) =>
        connectPlain(one.upstream, signal, context.socketMark)
      const http = createHttpListener(own.context, inboundRoute(own, { ...one, connect }))
      https.push(http)
      open.push(await openInbound(own, one, http))
    }
    for (const one of config.outbound) {
      const own = { ...options, ...options.workloads?.of(one.ownWorkload) }
      const tunnels = poolOf(own.context)
      const http = createHttpListener(own.context, outboundRoute(own, one, tunnels))
      https.push(http)
      open.push(await openOutbound(own, one, http, tunnels))
    }
    const mesh = { ...options, domains: domainsOf(options), pool: poolOf(context) }
    await openMeshListeners(mesh, {
      listener: (listener) => void open.push(listener),
      resource: (resource) => void https.push(resource),
    })
  } catch (error) {
    await close()
    throw error
  }
  return {
    open,
    stop() {
      for (const one of open) one.stop()
      for (const pool of pools.values()) pool.drain()
      for (const http of https) http[Symbol.dispose]()
    },
    [Symbol.asyncDispose]: close,
  }
}

function openInbound(
  options: ListenersOptions,
  inbound: InboundConfig,
  http: HttpListener,
): Promise<Listener> {
  const { context, engine, self } = options
  return listenInbound({
    ...{ context, config: inbound, enforcement: engine, self: self.party },
    authorize: acceptClients(domainsOf(options), inbound.authorize),
    locate: fixedWorkload(inbound, http.serve),
  })
}

function openOutbound(
  { context, self }: ListenersOptions,
  outbound: OutboundConfig,
  http: HttpListener,
  pool: HbonePool,
): Promise<Listener> {
  return listenOutbound({
    ...{ context, config: outbound, self: self.party, pool, serveHttp: http.serve },
    permitAll: permitAll(self),
  })
}

function domainsOf({ config, self }: ListenersOptions): AcceptedDomains {
  const { trustDomain, trustDomainAliases: aliases } = self.mesh
  return { trustDomain, aliases, federated: config.mesh.federatedTrustDomains }
}
