/**
 * The workloads of a proxy that serves several: each has an identity, policies in force and connections of its own, so that neither
 * a rule nor a bundle that is meant for one is asked about another. A listener without selectors is for the proxy's own workload.
 */
import type { OwnWorkload } from './config/delegated-keys.ts'
import type { ProxyConfig } from './config.ts'
import { type Connections, createConnections } from './enforce/connections.ts'
import type { Engine } from './enforce/engine.ts'
import type { RouteOptions } from './http-routes.ts'
import type { ProxyIdentity } from './identity/identity.ts'
import type { Identities } from './identity/open-identity.ts'
import { readSelf, type Self } from './self.ts'

export interface NodeWorkloads extends Disposable {
  /** The proxy's own first. */
  readonly all: readonly RouteOptions[]
  /** Whose a listener is. */
  of(own: OwnWorkload | undefined): RouteOptions
}

export interface NodeWorkloadsOptions {
  readonly config: ProxyConfig
  /** Of the proxy's own workload. */
  readonly own: RouteOptions
  readonly identities: Pick<Identities, 'of'>
  createEngine(self: Self, identity: ProxyIdentity): Engine
}

/** Waits for the identity of each. @throws IdentityError CANCELED, CONFIG_INVALID when a trust domain is another than configured */
export async function openNodeWorkloads(options: NodeWorkloadsOptions): Promise<NodeWorkloads> {
  const { config } = options
  const named = [...config.inbound, ...config.outbound].flatMap(({ name, ownWorkload }) =>
    ownWorkload === undefined ? [] : [{ name, workload: ownWorkload }],
  )
  if (named.length === 0) {
    return { all: [options.own], of: () => options.own, [Symbol.dispose]() {} }
  }
  const { context } = options.own
  // Of all workloads: drained, counted and shown together, but each judged by its own.
  const everyone = context.connections
  const own = { ...options.own, context: { ...context, connections: partOf(everyone) } }
  const byKey = new Map<string, RouteOptions & { readonly engine: Engine & Disposable }>()
  const close = () => {
    for (const { engine } of byKey.values()) engine[Symbol.dispose]()
  }
  try {
    for (const { name, workload } of named) {
      const key = keyOf(workload)
      if (byKey.has(key)) continue
      const identity = await options.identities.of(workload.selectors)
      const self = selfOf(config, workload, identity, name)
      const engine = options.createEngine(self, identity)
      const connections = partOf(everyone)
      byKey.set(key, { ...own, context: { ...context, identity, connections }, engine, self })
    }
  } catch (error) {
    close()
    throw error
  }
  return {
    all: [own, ...byKey.values()],
    // Every workload that a listener names is there.
    of: (workload) => (workload === undefined ? own : (byKey.get(keyOf(workload)) ?? unknown())),
    [Symbol.dispose]: close,
  }
}

function unknown(): never {
  throw new Error('a listener is for a workload that none of the listeners named')
}

/** Its namespace and service account are those in its SPIFFE ID. */
function selfOf(
  config: ProxyConfig,
  { labels }: OwnWorkload,
  identity: ProxyIdentity,
  name: string,
): Self {
  const nothing = { namespace: undefined, name: undefined, serviceAccount: undefined }
  const workload = { ...config.workload, ...nothing, service: undefined, labels }
  return readSelf({ ...config, workload }, identity.current().defaultSvid.id, name)
}

function keyOf({ selectors, labels }: OwnWorkload): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([[...selectors].sort(), sorted])
}

/** Holds its own, and enters them among everyone's. */
function partOf(everyone: Connections): Connections {
  const own = createConnections()
  return {
    ...own,
    get size() {
      return own.size
    },
    add(connection) {
      const [leaveAll, leave] = [everyone.add(connection), own.add(connection)]
      return () => {
        leave()
        leaveAll()
      }
    },
  }
}
