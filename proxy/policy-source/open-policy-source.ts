/** The source of policies that the configuration names; waits until there is a first good state to begin with. */
import { openCluster } from '../../kubernetes/open-cluster.ts'
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { Random } from '../../spiffe/random.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import type { ProxyConfig } from '../config.ts'
import type { Self } from '../self.ts'
import { noPolicies } from './no-policies.ts'
import { openPolicyCluster } from './policy-cluster.ts'
import { openPolicyDirectory } from './policy-directory.ts'
import type { PolicySource } from './policy-source.ts'

export interface OpenPolicySource extends AsyncDisposable {
  readonly source: PolicySource
  readonly follow: Loop
}

export interface PolicySourceDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly signal: AbortSignal
}

/** @throws IdentityError CONFIG_INVALID when the source cannot be used, CANCELED when the signal aborts first */
export async function openPolicySource(
  { policyDir, policySource, inbound, outbound }: ProxyConfig,
  { mesh, workload }: Self,
  deps: PolicySourceDeps,
): Promise<OpenPolicySource> {
  const { clock } = deps
  const log = deps.log.child({ component: 'policies' })
  if (policySource !== undefined) {
    const cluster = await openCluster({ kubeconfig: policySource.kubeConfigFile })
    const hasOthers = [...inbound, ...outbound].some((one) => one.ownWorkload !== undefined)
    try {
      const source = await openPolicyCluster({
        ...{ ...deps, cluster, mesh, log },
        namespace: hasOthers ? undefined : workload.namespace,
        ...{ podName: policySource.podName, stateFile: policySource.stateFile },
      })
      return {
        ...{ source, follow: source.follow },
        async [Symbol.asyncDispose]() {
          await source[Symbol.asyncDispose]()
          cluster[Symbol.dispose]()
        },
      }
    } catch (error) {
      cluster[Symbol.dispose]()
      throw error
    }
  }
  if (policyDir === undefined) {
    const source = noPolicies(mesh, clock)
    return { source, follow: async () => {}, async [Symbol.asyncDispose]() {} }
  }
  const source = await openPolicyDirectory({ path: policyDir, mesh, clock, log })
  return { source, follow: source.follow, async [Symbol.asyncDispose]() {} }
}
