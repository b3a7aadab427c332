/**
 * The `k8s` attestor: from a process to its container by the kernel, from there to its pod by the kubelet or the API
 * server. A process in no container gets no selectors; one whose pod is not known yet waits for a bounded time.
 *
 * @see SPIRE behaviour §4
 */
import type { Cluster } from '../../../kubernetes/cluster.ts'
import type { Log } from '../../../log/open-log.ts'
import type { UnixCaller } from '../../../proto/peer-credentials.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Selector } from '../../../spiffe/selector.ts'
import type { CgroupPaths } from '../container/cgroup-paths.ts'
import { locateByLegacyRules } from '../container/legacy-locator.ts'
import { type ContainerPlace, locatePodContainer } from '../container/locate-container.ts'
import { locateByProcess, type ProcessFiles, readCgroupPaths } from '../container/read-process.ts'
import type { Patience, WorkloadAttestor } from '../workload-attestor.ts'
import { type Found, findContainer } from './find-container.ts'
import { forBrokers, type InPod, type K8sBrokerSettings } from './for-brokers.ts'
import type { NamespaceLabels } from './namespace-labels.ts'
import { refuseProcess } from './no-pods.ts'
import { containerSelectors, namespaceSelectors, podSelectors } from './pod-selectors.ts'
import type { PodSource } from './pod-source.ts'

export interface K8sAttestorOptions {
  readonly disableContainerSelectors: boolean
  readonly usesLegacyLocator: boolean
  /** Every process is refused: the agent is there for brokers that name pods and objects. */
  readonly refusesProcesses: boolean
}

export interface K8sAttestorDeps {
  readonly source: PodSource
  /** Undefined: they are not wanted. */
  readonly namespaces: NamespaceLabels | undefined
  /** Undefined: brokers are told nothing. */
  readonly broker?: K8sBrokerSettings | undefined
  /** The API server, asked for brokers alone. */
  readonly openCluster: () => Promise<Cluster>
  readonly files: ProcessFiles
  /** Our own user ID. */
  readonly ownUid: number
  readonly log: Log
}

const TYPE = 'k8s'

type Ready = Exclude<Found, { readonly kind: 'not-yet' }>

export function k8sAttestor(options: K8sAttestorOptions, deps: K8sAttestorDeps): WorkloadAttestor {
  const { source, namespaces } = deps
  const attestPod = async (
    caller: UnixCaller,
    signal: AbortSignal,
    patience: Patience,
  ): Promise<InPod | undefined> => {
    if (options.refusesProcesses) refuseProcess()
    const place = await locate(caller, options, deps)
    if (place === undefined) return undefined
    const found = await findPod(place, { options, deps, signal, patience })
    // The wait may have been long: what the process was then, it must be still.
    refuseIfMoved(place, await locate(caller, options, deps))
    const labels = await namespaces?.labels(found.pod.namespace, signal)
    return { pod: found.pod, selectors: selectorsOf(found, options, labels) }
  }
  const { cluster, close } = openOnce(deps.openCluster)
  return {
    type: TYPE,
    attest: async (caller, signal, patience = 'full') =>
      (await attestPod(caller, signal, patience))?.selectors ?? [],
    forBrokers: forBrokers({
      ...{ source, namespaces, cluster, settings: deps.broker },
      attestProcess: (process, signal) => attestPod(process, signal, 'full'),
    }),
    async follow(signal) {
      await Promise.all([source.follow(signal), namespaces?.follow(signal)])
      await close()
    },
  }
}

/** Opened when it is first needed, and again after it could not be. */
function openOnce(open: () => Promise<Cluster>) {
  let opened: Promise<Cluster> | undefined
  return {
    async cluster() {
      opened ??= open()
      try {
        return await opened
      } catch (error) {
        opened = undefined
        throw error
      }
    },
    async close() {
      const cluster = await opened?.catch(() => undefined)
      cluster?.[Symbol.dispose]()
    },
  }
}

async function locate(
  { pid }: UnixCaller,
  { usesLegacyLocator }: K8sAttestorOptions,
  { files, ownUid }: K8sAttestorDeps,
): Promise<ContainerPlace | undefined> {
  if (usesLegacyLocator) return locateByLegacyRules(readCgroupPaths(pid, files), { ownUid })
  return locateByProcess(pid, files, (paths: CgroupPaths) => locatePodContainer(paths, { ownUid }))
}

interface Asked {
  readonly options: K8sAttestorOptions
  readonly deps: K8sAttestorDeps
  readonly signal: AbortSignal
  readonly patience: Patience
}

async function findPod(
  place: ContainerPlace,
  { options, deps, signal, patience }: Asked,
): Promise<Ready> {
  const needsNoContainer = options.disableContainerSelectors
  let why: string | undefined
  const searched = await deps.source.search(
    (pods): Ready | undefined => {
      const found = findContainer(pods, place, { needsNoContainer })
      if (found.kind !== 'not-yet') return found
      if (why !== found.why) deps.log.debug({ ...place, why: found.why }, 'Waiting for a container')
      why = found.why
      return undefined
    },
    { signal, patience },
  )
  if (searched.kind === 'found') return searched.value
  if (searched.problem !== undefined) {
    const message = `the pod of container ${place.containerId} is not known: ${searched.problem}`
    throw new IdentityError('UNAVAILABLE', message)
  }
  const waited = patience === 'once' ? '' : 'no selectors found after max poll attempts: '
  throw new IdentityError('DEADLINE_EXCEEDED', `${waited}${why ?? 'nobody lists any pods'}`)
}

/** Fails closed: a process that has gone to another container meanwhile gets nothing of either. */
function refuseIfMoved(before: ContainerPlace, after: ContainerPlace | undefined): void {
  if (before.containerId === after?.containerId && before.podUid === after.podUid) return
  throw new IdentityError(
    'ATTESTATION_FAILED',
    `the process was in container ${before.containerId} and is now in ${after?.containerId ?? 'none'}`,
  )
}

function selectorsOf(
  found: Ready,
  { disableContainerSelectors }: K8sAttestorOptions,
  labels: Readonly<Record<string, string>> = {},
): readonly Selector[] {
  const hasContainer = found.kind === 'container' && !disableContainerSelectors
  return [
    ...podSelectors(found.pod),
    ...(hasContainer ? containerSelectors(found.container) : []),
    ...namespaceSelectors(labels),
  ]
}
