/** The loops that sign PodCertificateRequests, one for each cluster in the configuration. */
import { openCluster } from '../../kubernetes/open-cluster.ts'
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { SpiffeId, TrustDomain } from '../../spiffe/id.ts'
import type { Random } from '../../spiffe/random.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import type { EntryIndex } from '../entries/entry-index.ts'
import type { PrivilegedIds } from '../entries/privileged-ids.ts'
import type { Issuer } from '../issue/issuer.ts'
import { type AttestedNode, isBanned } from '../nodes/node.ts'
import type { IdentityTemplate } from './identity-template.ts'
import { signRequests } from './sign-requests.ts'

/** The signer of one cluster. */
export interface PodCertificatesConfig {
  /** As `k8s_psat` calls it. */
  readonly clusterName: string
  readonly signerName: string
  /** Undefined: the service account of the pod we run in. */
  readonly kubeconfig: string | undefined
  /** Undefined: entries say who gets what. */
  readonly template: IdentityTemplate | undefined
  readonly entryWaitSeconds: number
}

export interface PodCertificatesDeps {
  readonly trustDomain: TrustDomain
  readonly defaultX509SvidTtlSeconds: number
  readonly index: Pick<EntryIndex, 'authorizedFor'>
  readonly privileged: PrivilegedIds
  readonly nodes: { find(id: SpiffeId): Promise<AttestedNode | undefined> }
  readonly issuer: Pick<Issuer, 'issueWorkloadX509Svid'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface PodCertificates extends AsyncDisposable {
  readonly loops: readonly Loop[]
}

/** Disposing closes the clusters: first end the loops. @throws IdentityError CONFIG_INVALID when a kubeconfig cannot be used */
export async function openPodCertificates(
  configs: readonly PodCertificatesConfig[],
  deps: PodCertificatesDeps,
): Promise<PodCertificates> {
  await using stack = new AsyncDisposableStack()
  const { trustDomain, defaultX509SvidTtlSeconds: defaultTtlSeconds } = deps
  const { index, privileged, nodes, issuer, clock, random, log } = deps
  const loops: Loop[] = []
  for (const { kubeconfig, ...config } of configs) {
    const cluster = stack.use(await openCluster({ kubeconfig }))
    const signing = {
      ...{ ...config, cluster, trustDomain, defaultTtlSeconds },
      ...{ index, privileged, issuer, clock, random },
      log: log.child({ component: 'pod-certificates', cluster: config.clusterName }),
      async isBanned(id: SpiffeId) {
        const node = await nodes.find(id)
        return node !== undefined && isBanned(node)
      },
    }
    loops.push((signal) => signRequests(signing, signal))
  }
  const opened = stack.move()
  return { loops, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
