/** The Istio CA of this server: its port, and a copy of the pods of each cluster whose proxies may ask. */
import { openCluster } from '../../../kubernetes/open-cluster.ts'
import { istioCaApi } from '../../../proto/load.ts'
import { addService } from '../../../proto/serve.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import type { Random } from '../../../spiffe/random.ts'
import type { Loop } from '../../../spiffe/running-loops.ts'
import type { EntryIndex } from '../../entries/entry-index.ts'
import type { PrivilegedIds } from '../../entries/privileged-ids.ts'
import type { Issuer } from '../../issue/issuer.ts'
import type { Limit } from '../../listen/rate-limits.ts'
import { type MeshPortDeps, openMeshPort } from '../mesh-port.ts'
import { createTally, type TallyReading } from '../tally.ts'
import type { MeshCluster } from './authenticate.ts'
import { meterIstioCa } from './citadel-metrics.ts'
import { istioCaService } from './istio-ca-service.ts'
import { followNodePods, type NodePods } from './node-pods.ts'

export interface IstioCaConfig {
  readonly bindAddress: string
  readonly bindPort: number
  /** Of the serving certificate. */
  readonly dnsNames: readonly string[]
  /** `kubeconfig` undefined: the service account of the pod we run in. */
  readonly clusters: readonly { readonly name: string; readonly kubeconfig: string | undefined }[]
  /** The one that callers without a header are of. */
  readonly localCluster: string | undefined
  readonly tokenAudiences: readonly string[]
  /** `namespace/name`. */
  readonly trustedNodeAccounts: readonly string[]
  readonly registration: 'off' | 'entries'
  readonly defaultTtlSeconds: number
  readonly maxTtlSeconds: number
}

export interface IstioCaDeps extends Omit<MeshPortDeps, 'tally' | 'onEnd' | 'issuer'> {
  readonly issuer: Pick<Issuer, 'issueServerX509Svid' | 'issueWorkloadX509Svid'>
  readonly bundle: { current(): Bundle }
  readonly index: Pick<EntryIndex, 'ofSpiffeId'>
  readonly privileged: PrivilegedIds
  readonly limit: Limit
  readonly random: Random
}

export interface IstioCaStatus
  extends Pick<
    IstioCaConfig,
    | 'dnsNames'
    | 'localCluster'
    | 'tokenAudiences'
    | 'trustedNodeAccounts'
    | 'registration'
    | 'maxTtlSeconds'
  > {
  readonly address: string
  readonly clusters: readonly {
    readonly name: string
    readonly server: string
    readonly pods: Pick<NodePods, 'size' | 'isComplete' | 'problem'>
  }[]
  readonly tally: TallyReading
}

export interface IstioCa extends AsyncDisposable {
  readonly loops: readonly Loop[]
  status(): IstioCaStatus
}

/** Disposing closes the port and the clusters: first end the loops. @throws IdentityError as `openMeshPort`, CONFIG_INVALID for a kubeconfig */
export async function openIstioCa(config: IstioCaConfig, outer: IstioCaDeps): Promise<IstioCa> {
  const deps = { ...outer, log: outer.log.child({ component: 'istio-ca' }) }
  await using stack = new AsyncDisposableStack()
  const clusters = new Map<string, MeshCluster>()
  for (const { name, kubeconfig } of config.clusters) {
    const cluster = stack.use(await openCluster({ kubeconfig }))
    const log = deps.log.child({ cluster: name })
    clusters.set(name, { name, cluster, pods: followNodePods({ ...deps, cluster, log }) })
  }
  const tally = createTally(deps.clock)
  const metered = meterIstioCa({ ...deps, now: () => deps.clock.now() })
  const port = stack.use(
    await openMeshPort(
      { ...config, takesNoAlpn: false },
      { ...deps, tally, onEnd: (_error, why) => metered(why) },
      (endpoint) => {
        const service = istioCaService({
          ...deps,
          ...config,
          clusters,
          trustedNodeAccounts: new Set(config.trustedNodeAccounts),
          entries: config.registration === 'entries' ? deps.index : undefined,
        })
        addService(endpoint, istioCaApi().service, service)
      },
    ),
  )
  deps.log.info({ address: port.address }, 'Serving the Istio CA')
  const opened = stack.move()
  return {
    loops: [...port.loops, ...[...clusters.values()].map(({ pods }): Loop => pods.follow)],
    status: () => ({
      ...config,
      address: port.address,
      clusters: [...clusters.values()].map(({ name, cluster, pods }) => ({
        ...{ name, server: cluster.server, pods },
      })),
      tally: tally.read(),
    }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
