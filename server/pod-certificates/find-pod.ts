/**
 * What the API server itself says of the pod that a request names. A kubelet can name only pods of its own node, but
 * whoever else may create requests can name any: the request is believed only as far as the pod bears it out.
 *
 * Permissions: `get` of `pods` and of `nodes`.
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { type ObjectMeta, readMeta, recordAt, textAt } from '../../kubernetes/object.ts'
import { statusOf } from '../../kubernetes/status.ts'
import { type Selector, selector } from '../../spiffe/selector.ts'
import type { PodCertificateRequest } from './request.ts'

export type FoundPod =
  | { readonly kind: 'found'; readonly pod: ObjectMeta }
  /** The request is not borne out. */
  | { readonly kind: 'other'; readonly why: string }

/** @throws IdentityError when the API server does not tell */
export async function findPod(
  cluster: Pick<Cluster, 'request'>,
  { meta, pod, serviceAccount, node }: PodCertificateRequest,
  signal: AbortSignal,
): Promise<FoundPod> {
  const look = (path: string) =>
    cluster.request({ method: 'GET', path, signal }).catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error
      return undefined
    })
  const name = `${meta.namespace}/${pod.name}`
  const found = await look(
    `/api/v1/namespaces/${meta.namespace}/pods/${encodeURIComponent(pod.name)}`,
  )
  const podMeta = readMeta(found)
  if (podMeta === undefined) return { kind: 'other', why: `the pod ${name} is not there any more` }
  const spec = recordAt(found, 'spec')
  const saw = { uid: podMeta.uid, account: textAt(spec, 'serviceAccountName') ?? 'default' }
  const runsOn = textAt(spec, 'nodeName') ?? ''
  if (saw.uid !== pod.uid) {
    return differs(`the pod ${name} has UID ${saw.uid}, but the request says ${pod.uid}`)
  }
  if (saw.account !== serviceAccount) {
    return differs(`the pod ${name} runs as ${saw.account}, but the request says ${serviceAccount}`)
  }
  if (runsOn !== node.name) {
    return differs(
      `the pod ${name} is on node ${runsOn || '(none)'}, but the request says ${node.name}`,
    )
  }
  const nodeUid =
    readMeta(await look(`/api/v1/nodes/${encodeURIComponent(node.name)}`))?.uid ?? '(none)'
  if (nodeUid !== node.uid) {
    return differs(`the node ${node.name} has UID ${nodeUid}, but the request says ${node.uid}`)
  }
  return { kind: 'found', pod: podMeta }
}

function differs(why: string): FoundPod {
  return { kind: 'other', why }
}

/**
 * What the k8s workload attestor would say of the pod, as far as it is known before any of its containers runs: nothing
 * of containers and images.
 */
export function podSelectors(
  {
    pod,
    serviceAccount,
    node,
    meta,
  }: Pick<PodCertificateRequest, 'pod' | 'serviceAccount' | 'meta'> & {
    readonly node: { readonly name: string }
  },
  { labels, owners }: ObjectMeta,
): ReadonlySet<Selector> {
  const values = [
    `sa:${serviceAccount}`,
    `ns:${meta.namespace}`,
    `node-name:${node.name}`,
    `pod-uid:${pod.uid}`,
    `pod-name:${pod.name}`,
    ...Object.entries(labels).map(([key, value]) => `pod-label:${key}:${value}`),
    ...owners.flatMap(({ kind, name, uid }) => [
      `pod-owner:${kind}:${name}`,
      `pod-owner-uid:${kind}:${uid}`,
    ]),
  ]
  return new Set(values.map((value) => selector('k8s', value)))
}

/** What the request says of its node, as selectors of an agent there. Labels are not among them: those are allowed one by one. */
export function nodeSelectors(
  clusterName: string,
  { node }: Pick<PodCertificateRequest, 'node'>,
): ReadonlySet<Selector> {
  return new Set([
    selector('k8s_psat', `cluster:${clusterName}`),
    selector('k8s_psat', `agent_node_name:${node.name}`),
    selector('k8s_psat', `agent_node_uid:${node.uid}`),
  ])
}
