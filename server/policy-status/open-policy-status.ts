/** The loop that writes the status of a cluster's policies, once for all servers that are configured to: whoever holds the lease. */

import { holdLease } from '../../kubernetes/lease.ts'
import { openCluster } from '../../kubernetes/open-cluster.ts'
import type { Log } from '../../log/open-log.ts'
import type { MeshSettings } from '../../policy/snapshot.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { Random } from '../../spiffe/random.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import { writeStatuses } from './write-statuses.ts'

export interface PolicyStatusConfig {
  /** Undefined: the service account of the pod we run in. */
  readonly kubeconfig: string | undefined
  readonly leaseNamespace: string
  readonly leaseName: string
  readonly rootNamespace: string
  readonly trustDomainAliases: readonly TrustDomain[]
  readonly trustedHops: number
}

export interface PolicyStatusDeps {
  readonly trustDomain: TrustDomain
  /** Of this process among all; no two have the same one. */
  readonly identity: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface PolicyStatus extends AsyncDisposable {
  readonly loops: readonly Loop[]
}

/** As client-go's leader election has them. */
const LEASE = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 }

/** Disposing closes the cluster: first end the loops. @throws IdentityError CONFIG_INVALID when the kubeconfig cannot be used */
export async function openPolicyStatus(
  config: PolicyStatusConfig | undefined,
  deps: PolicyStatusDeps,
): Promise<PolicyStatus> {
  if (config === undefined) return { loops: [], async [Symbol.asyncDispose]() {} }
  const { leaseNamespace: namespace, leaseName: name } = config
  const cluster = await openCluster({ kubeconfig: config.kubeconfig })
  const log = deps.log.child({ component: 'policy-status' })
  const shared = { cluster, clock: deps.clock, random: deps.random, log }
  const lease = { ...LEASE, namespace, name, identity: deps.identity }
  const status = { ...shared, mesh: policyMesh(config, deps.trustDomain) }
  return {
    loops: [
      (signal) =>
        holdLease(lease, shared, (leadership) => writeStatuses(status, leadership), signal),
    ],
    async [Symbol.asyncDispose]() {
      cluster[Symbol.dispose]()
    },
  }
}

/** The mesh that policies are judged in; what proxies may be configured otherwise, each by itself, changes no finding. */
export function policyMesh(config: PolicyStatusConfig, trustDomain: TrustDomain): MeshSettings {
  const { rootNamespace, trustDomainAliases, trustedHops } = config
  return {
    ...{ rootNamespace, trustDomain, trustDomainAliases, trustedHops },
    ...{ pathNormalization: 'BASE', refuseAmbiguousPaths: true, extensionProviders: [] },
  }
}
