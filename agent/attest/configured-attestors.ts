/** The workload attestors that a configuration asks for. No other is loaded: an agent of a machine without containers starts sooner. */
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { Random } from '../../spiffe/random.ts'
import type { K8sAttestorConfig } from '../config/k8s.ts'
import type { WorkloadAttestorConfig } from '../config.ts'
import type { Kubelet, KubeletConfig } from './k8s/kubelet.ts'
import { unixAttestor } from './unix/unix-attestor.ts'
import type { WorkloadAttestor } from './workload-attestor.ts'

export interface AttestorDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Our own user ID. */
  readonly ownUid: number
}

/**
 * What an attestor has open is closed by its `follow`, which must be started.
 * @throws IdentityError CONFIG_INVALID when the API server of a cluster cannot be told, or what the kubelet is to be shown
 *   cannot be read
 */
export async function configuredAttestors(
  configs: readonly WorkloadAttestorConfig[],
  deps: AttestorDeps,
): Promise<readonly WorkloadAttestor[]> {
  return Promise.all(configs.map((config) => configuredAttestor(config, deps)))
}

async function configuredAttestor(
  config: WorkloadAttestorConfig,
  deps: AttestorDeps,
): Promise<WorkloadAttestor> {
  const { clock, ownUid } = deps
  const log = deps.log.child({ component: 'workload_attestor', attestor: config.kind })
  switch (config.kind) {
    case 'unix':
      return unixAttestor(config)
    case 'systemd': {
      const { connectBus } = await import('../dbus/connection.ts')
      const { systemdAttestor } = await import('./systemd/systemd-attestor.ts')
      const bus = { socketPath: config.busPath, ownUid, clock }
      return systemdAttestor({ connect: () => connectBus(bus) })
    }
    case 'docker': {
      const { apiVersion } = config
      const { dockerAttestor } = await import('./docker/docker-attestor.ts')
      const { openEngine } = await import('./docker/engine.ts')
      return dockerAttestor(config, {
        engineAt: (socketPath) => openEngine({ socketPath, apiVersion, clock }),
        files: filesFor(config, log),
        clock,
      })
    }
    case 'k8s':
      return openK8s(config, { ...deps, log })
    default:
      return config satisfies never
  }
}

async function openK8s(config: K8sAttestorConfig, deps: AttestorDeps): Promise<WorkloadAttestor> {
  const { openCluster } = await import('../../kubernetes/open-cluster.ts')
  const { apiServerPods } = await import('./k8s/api-server-pods.ts')
  const { k8sAttestor } = await import('./k8s/k8s-attestor.ts')
  const { kubeletPods } = await import('./k8s/kubelet-pods.ts')
  const { noPods } = await import('./k8s/no-pods.ts')
  const { followNamespaceLabels } = await import('./k8s/namespace-labels.ts')
  const { log, ownUid } = deps
  const { podSource, maxPollAttempts, pollRetryIntervalMs, kubeconfig } = config
  const patienceMs = maxPollAttempts * pollRetryIntervalMs
  const watching = async () => ({
    ...{ ...deps, patienceMs },
    cluster: await openCluster({ kubeconfig }),
  })
  const openSource = async () => {
    switch (podSource.kind) {
      case 'api-server':
        return apiServerPods({ ...(await watching()), nodeName: podSource.nodeName })
      case 'kubelet':
        return kubeletPods({
          ...{ ...deps, maxPollAttempts, pollRetryIntervalMs },
          kubelet: await openChecked(podSource.kubelet, deps.clock),
        })
      case 'none':
        return noPods()
      default:
        return podSource satisfies never
    }
  }
  const source = await openSource()
  const namespaces = config.enableNamespaceLabels
    ? followNamespaceLabels(await watching())
    : undefined
  const options = { ...config, refusesProcesses: podSource.kind === 'none' }
  return k8sAttestor(options, {
    ...{ source, namespaces, ownUid, log, broker: config.broker },
    openCluster: () => openCluster({ kubeconfig }),
    files: filesFor(config, log),
  })
}

/** @throws IdentityError CONFIG_INVALID: who cannot ask the kubelet now would refuse every pod later */
async function openChecked(config: KubeletConfig, clock: Clock): Promise<Kubelet> {
  const { openKubelet } = await import('./k8s/kubelet.ts')
  const kubelet = openKubelet(config, clock)
  kubelet.check()
  return kubelet
}

function filesFor({ isVerbose }: { readonly isVerbose: boolean }, log: Log) {
  return { proc: '/proc', verboseLog: isVerbose ? log : undefined }
}
