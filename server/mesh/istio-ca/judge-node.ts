/**
 * Whether a node's proxy may have the identity of another workload: only a trusted service account may ask, from the pod
 * that its token is bound to, and only for who runs on that pod's own node. Everything else is a refusal, so a node that
 * is broken into gets the identities of its own pods and no others.
 *
 * @see Mesh issuance §2.4 — impersonation
 */
import type { ServiceAccountName } from '../../../kubernetes/review-token.ts'
import type { TokenAccount } from '../service-account.ts'
import type { KnownPods, NodePod } from './node-pods.ts'

export type NodeVerdict =
  | { readonly kind: 'allow'; readonly isFinal: true; readonly pod: NodePod }
  | {
      readonly kind: 'deny'
      readonly check: 'node-account' | 'node'
      /** False while a pod may only not be known yet. */
      readonly isFinal: boolean
      readonly why: string
    }

/** @param trusted `namespace/name` of service accounts */
export function judgeNode(
  { account, pod }: TokenAccount,
  wanted: ServiceAccountName,
  trusted: ReadonlySet<string>,
  pods: KnownPods,
): NodeVerdict {
  const caller = nameOf(account)
  if (!trusted.has(caller)) {
    const list = trusted.size === 0 ? 'nobody' : [...trusted].join(', ')
    const why = `caller ${caller} is not trusted to ask for other identities; trusted_node_accounts has ${list}`
    return { kind: 'deny', check: 'node-account', isFinal: true, why }
  }
  if (pod === undefined) {
    return deny(true, `the token of ${caller} is bound to no pod, so it runs on no node`)
  }
  const where = `${account.namespace}/${pod.name}`
  const found = pods.find(account.namespace, pod.name)
  if (found === undefined) return deny(false, `the pod ${where} of the caller is not known`)
  if (found.meta.uid !== pod.uid) {
    const why = `the pod ${where} has UID ${found.meta.uid}, but the token is of the one with UID ${pod.uid}`
    return deny(false, why)
  }
  if (found.serviceAccount !== account.name) {
    const why = `the pod ${where} runs as ${found.serviceAccount}, but the token is of ${account.name}`
    return deny(true, why)
  }
  const target = pods.someOn(found.node, wanted)
  if (target !== undefined) return { kind: 'allow', isFinal: true, pod: target }
  return deny(false, `no pod of ${nameOf(wanted)} is on node ${found.node}, where ${where} is`)
}

export function nameOf({ namespace, name }: ServiceAccountName): string {
  return `${namespace}/${name}`
}

function deny(isFinal: boolean, why: string): NodeVerdict {
  return { kind: 'deny', check: 'node', isFinal, why }
}
