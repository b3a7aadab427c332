/**
 * What the `k8s` attestor tells brokers: of processes in pods, of pods and of any other object. Fails closed: only to brokers that are
 * configured here as well, of pods of this node unless a broker may ask for those of the cluster, and under `enforced` only of what
 * the cluster's own authorization lets the broker impersonate.
 *
 * Permissions: get and list on what brokers refer to, create on subjectaccessreviews under `enforced`.
 *
 * @see SPIRE behaviour §4
 */
import type { Cluster } from '../../../kubernetes/cluster.ts'
import { listObjects } from '../../../kubernetes/list-objects.ts'
import { reviewAccess } from '../../../kubernetes/review-access.ts'
import { statusOf } from '../../../kubernetes/status.ts'
import type { UnixCaller } from '../../../proto/peer-credentials.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import type { Selector } from '../../../spiffe/selector.ts'
import type { KubernetesObject } from '../reference.ts'
import type { BrokeredAttestor } from '../workload-attestor.ts'
import { apiGroup, findObject, needsNamespace, notFound, requireUid } from './find-object.ts'
import type { NamespaceLabels } from './namespace-labels.ts'
import { objectSelectors } from './object-selectors.ts'
import { type Pod, readApiPod } from './pod.ts'
import { namespaceSelectors, podSelectors } from './pod-selectors.ts'
import type { PodSource } from './pod-source.ts'

export interface K8sBrokerSettings {
  /** Whether the cluster is asked for each object that a broker names. */
  readonly accessPolicy: 'permissive' | 'enforced'
  readonly brokers: readonly { readonly id: SpiffeId; readonly podScope: PodScope }[]
}

export type PodScope = 'agent_node' | 'cluster'

export interface ForBrokersDeps {
  /** Undefined: no broker is told anything. */
  readonly settings: K8sBrokerSettings | undefined
  readonly source: PodSource
  readonly namespaces: NamespaceLabels | undefined
  /** Opened when it is first needed. @throws IdentityError CONFIG_INVALID */
  readonly cluster: () => Promise<Cluster>
  /** The selectors of a process and the pod that it is in, if it is in one. */
  readonly attestProcess: (process: UnixCaller, signal: AbortSignal) => Promise<InPod | undefined>
}

export interface InPod {
  readonly selectors: readonly Selector[]
  readonly pod: Pod
}

const VERB = 'impersonate-via-spire'
const PODS = { plural: 'pods', group: 'core' } as const

export function forBrokers(deps: ForBrokersDeps): BrokeredAttestor {
  const { namespaces } = deps
  const labelsOf = async (namespace: string, signal: AbortSignal) =>
    namespace === '' ? [] : namespaceSelectors((await namespaces?.labels(namespace, signal)) ?? {})
  return {
    async attestProcess(process, broker, signal) {
      requireBroker(deps, broker)
      const found = await deps.attestProcess(process, signal)
      if (found === undefined) return [] // in no pod: there is nothing to ask the cluster about
      await requireAccess(deps, { broker, ...PODS, ...keyOf(found.pod) }, signal)
      return found.selectors
    },
    async attestObject(object, broker, signal) {
      const { podScope } = requireBroker(deps, broker)
      const { plural, group } = object
      if (plural === PODS.plural && group === PODS.group) {
        const pod = await findPod(deps, object, podScope, signal)
        requireUid('pod', pod, object.uid)
        await requireAccess(deps, { broker, plural, group, ...keyOf(pod) }, signal)
        return [...podSelectors(pod), ...(await labelsOf(pod.namespace, signal))]
      }
      const found = await findObject(await openFor(deps), object, signal)
      await requireAccess(deps, { broker, plural, group, ...keyOf(found.meta) }, signal)
      return [...objectSelectors(object, found), ...(await labelsOf(found.meta.namespace, signal))]
    },
  }
}

const keyOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }) => ({
  ...{ namespace, name },
})

function requireBroker({ settings }: ForBrokersDeps, broker: SpiffeId): { podScope: PodScope } {
  if (settings === undefined) {
    const why = 'experimental.broker of the k8s attestor is not configured'
    throw new IdentityError('PRECONDITION_FAILED', `broker configuration missing: ${why}`)
  }
  const found = settings.brokers.find(({ id }) => id === broker)
  if (found !== undefined) return found
  throw new IdentityError('NOT_AUTHORIZED', `broker "${broker}" is not configured`)
}

interface Wanted {
  readonly broker: SpiffeId
  readonly plural: string
  readonly group: string
  readonly namespace: string
  readonly name: string
}

async function requireAccess(
  deps: ForBrokersDeps,
  { broker, plural, group, namespace, name }: Wanted,
  signal: AbortSignal,
): Promise<void> {
  if (deps.settings?.accessPolicy !== 'enforced') return
  const cluster = await openFor(deps)
  const question = {
    ...{ user: broker, verb: VERB, group: apiGroup(group), resource: plural, namespace, name },
  }
  const isAllowed = await reviewAccess(cluster, { ...question, signal }).catch((cause: unknown) => {
    const why = `unable to check Kubernetes authorization for broker: ${reasonOf(cause)}`
    throw new IdentityError('UNAVAILABLE', why, { cause })
  })
  if (isAllowed) return
  const why = `Kubernetes authorizer does not allow the broker to use ${VERB} for the referenced object`
  throw new IdentityError('NOT_AUTHORIZED', why)
}

/** Of this node first, which costs the cluster nothing. */
async function findPod(
  deps: ForBrokersDeps,
  object: KubernetesObject,
  scope: PodScope,
  signal: AbortSignal,
): Promise<Pod> {
  const { namespace, name, uid } = object
  if (name !== '' && namespace === '') throw needsNamespace()
  const what = name === '' ? `pod with UID ${uid}` : `pod ${namespace}/${name}`
  const searched = await deps.source.search(
    (pods) => (name === '' ? pods.withUid(uid)[0] : pods.named(namespace, name)),
    { signal, patience: 'once' },
  )
  if (searched.kind === 'found') return searched.value
  if (scope === 'agent_node') {
    if (searched.problem === undefined) throw notFound(`${what} not found on agent node`)
    throw new IdentityError(
      'UNAVAILABLE',
      `the pods of the node are not known: ${searched.problem}`,
    )
  }
  const pod = await podOfCluster(await openFor(deps), object, signal)
  if (pod === undefined) throw notFound(`${what} not found`)
  return pod
}

async function podOfCluster(
  cluster: Cluster,
  { namespace, name, uid }: KubernetesObject,
  signal: AbortSignal,
): Promise<Pod | undefined> {
  try {
    if (name !== '') {
      const of = encodeURIComponent
      const path = `/api/v1/namespaces/${of(namespace)}/pods/${of(name)}`
      return readApiPod(await cluster.request({ method: 'GET', path, signal }))
    }
    const all = await listObjects(cluster, '/api/v1/pods')
    return all.map(readApiPod).find((pod) => pod?.uid === uid)
  } catch (cause) {
    if (statusOf(cause) === 404) return undefined
    const why = `unable to get pod from Kubernetes API: ${reasonOf(cause)}`
    throw new IdentityError('UNAVAILABLE', why, { cause })
  }
}

async function openFor({ cluster }: ForBrokersDeps): Promise<Cluster> {
  try {
    return await cluster()
  } catch (cause) {
    const why = `unable to set up Kubernetes client: ${reasonOf(cause)}`
    throw new IdentityError('UNAVAILABLE', why, { cause })
  }
}
