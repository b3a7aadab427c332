/**
 * Which pod a reviewed token was made for, and what its cluster says of that pod and its node. Fails closed: a token
 * bound to no pod, or to one that is there no more, names no node.
 *
 * Permissions: `get` of `pods` and of `nodes`.
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { readMeta, recordAt, textAt } from '../../kubernetes/object.ts'
import { parseServiceAccountName, type TokenUser } from '../../kubernetes/review-token.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { type Selector, selector } from '../../spiffe/selector.ts'
import { querying } from './refusal.ts'

/** The pod as its token has it. */
export interface TokenPod {
  readonly namespace: string
  readonly serviceAccount: string
  readonly name: string
  readonly uid: string
}

/** The pod and its node as the API server has them. */
export interface FoundPod {
  readonly podLabels: Readonly<Record<string, string>>
  /** Empty while the API server knows none. */
  readonly nodeIp: string
  readonly nodeName: string
  readonly nodeUid: string
  readonly nodeLabels: Readonly<Record<string, string>>
}

const EXTRA = 'authentication.kubernetes.io'

/** `<namespace>:<name>`, as allow lists have it. @throws IdentityError INTERNAL when the token is of no service account */
export function readServiceAccount(
  user: TokenUser,
): Pick<TokenPod, 'namespace' | 'serviceAccount'> {
  const account = parseServiceAccountName(user.username)
  if (account !== undefined) return { namespace: account.namespace, serviceAccount: account.name }
  const why =
    user.username === '' ? 'empty username' : `unexpected username format: ${user.username}`
  throw new IdentityError('INTERNAL', why)
}

/** @param what the word for messages @throws IdentityError INTERNAL unless there is exactly one, which is not empty */
export function readExtra({ extra }: TokenUser, key: 'pod-name' | 'pod-uid', what: string): string {
  const values = extra.get(`${EXTRA}/${key}`)
  if (values === undefined) throw new IdentityError('INTERNAL', `missing pod ${what}`)
  const [only] = values
  if (only === undefined || values.length > 1) {
    throw new IdentityError('INTERNAL', `expected 1 ${what} but got: ${values.length}`)
  }
  if (only === '') throw new IdentityError('INTERNAL', `pod ${what} is empty`)
  return only
}

/** @throws IdentityError INTERNAL when the cluster does not tell, NOT_AUTHORIZED for another pod of that name */
export async function findPod(
  cluster: Pick<Cluster, 'request'>,
  { namespace, name, uid }: TokenPod,
): Promise<Pick<FoundPod, 'podLabels' | 'nodeIp' | 'nodeName'>> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`
  const pod = await querying('pods', () => cluster.request({ method: 'GET', path }))
  const meta = readMeta(pod)
  // The review compares them as well, but a moment ago: the pod may have been replaced since.
  if (meta?.uid !== uid) {
    throw new IdentityError(
      'NOT_AUTHORIZED',
      `pod ${namespace}/${name} has UID ${meta?.uid ?? '(none)'}, but the token is of the one with UID ${uid}`,
    )
  }
  return {
    podLabels: meta.labels,
    nodeIp: textAt(recordAt(pod, 'status'), 'hostIP') ?? '',
    nodeName: textAt(recordAt(pod, 'spec'), 'nodeName') ?? '',
  }
}

/** @returns an empty UID when the API server gives none @throws IdentityError INTERNAL when the cluster does not tell */
export async function findNode(
  cluster: Pick<Cluster, 'request'>,
  name: string,
): Promise<Pick<FoundPod, 'nodeUid' | 'nodeLabels'>> {
  if (name === '') throw new IdentityError('INTERNAL', 'empty node name')
  const path = `/api/v1/nodes/${encodeURIComponent(name)}`
  const node = await querying('nodes', () => cluster.request({ method: 'GET', path }))
  const meta = readMeta(node)
  return { nodeUid: meta?.uid ?? '', nodeLabels: meta?.labels ?? {} }
}

export interface AllowedLabels {
  readonly allowedNodeLabelKeys: readonly string[]
  readonly allowedPodLabelKeys: readonly string[]
}

/** Labels only by leave of the configuration: in many clusters, others may set them than who may set node labels. */
export function k8sPsatSelectors(
  cluster: string,
  pod: TokenPod,
  found: FoundPod,
  { allowedNodeLabelKeys, allowedPodLabelKeys }: AllowedLabels,
): readonly Selector[] {
  return [
    `cluster:${cluster}`,
    `agent_ns:${pod.namespace}`,
    `agent_sa:${pod.serviceAccount}`,
    `agent_pod_name:${pod.name}`,
    `agent_pod_uid:${pod.uid}`,
    `agent_node_ip:${found.nodeIp}`,
    `agent_node_name:${found.nodeName}`,
    `agent_node_uid:${found.nodeUid}`,
    ...allowed('agent_node_label', found.nodeLabels, allowedNodeLabelKeys),
    ...allowed('agent_pod_label', found.podLabels, allowedPodLabelKeys),
  ].map((value) => selector('k8s_psat', value))
}

function allowed(
  kind: string,
  labels: Readonly<Record<string, string>>,
  keys: readonly string[],
): readonly string[] {
  return Object.entries(labels).flatMap(([key, value]) =>
    keys.includes(key) ? [`${kind}:${key}:${value}`] : [],
  )
}
