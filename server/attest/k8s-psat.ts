/**
 * Attests an agent by the projected service account token of its pod: the cluster's API server says whose token it is,
 * then which node the pod runs on. Fails closed: whatever the cluster does not confirm now is refused.
 *
 * Clusters are opened anew for each attestation, as SPIRE does: one that is away harms no other and not the start, and
 * an exchanged kubeconfig is used from the next attestation on.
 *
 * @see SPIRE behaviour §2 — k8s_psat
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { ClusterOptions } from '../../kubernetes/open-cluster.ts'
import { reviewToken, type TokenUser } from '../../kubernetes/review-token.ts'
import { readK8sPsatPayload } from '../../proto/k8s-psat.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { spiffeId, type TrustDomain } from '../../spiffe/id.ts'
import {
  type AllowedLabels,
  type FoundPod,
  findNode,
  findPod,
  k8sPsatSelectors,
  readExtra,
  readServiceAccount,
  type TokenPod,
} from './k8s-psat-pod.ts'
import type { AttestedAs, NodeAttestor } from './node-attestor.ts'
import { querying, within } from './refusal.ts'

const K8S_PSAT = 'k8s_psat'

export interface K8sPsatCluster extends AllowedLabels {
  /** What agents call it; a part of their IDs. */
  readonly name: string
  /** `<namespace>:<name>` of those that agents run as. */
  readonly serviceAccounts: readonly string[]
  /** Tokens must be for one of them; none: for the API server itself. */
  readonly audiences: readonly string[]
  /** Undefined: the service account of the pod that the server runs in. */
  readonly kubeconfig: string | undefined
  /** One agent for each pod instead of one for each node. */
  readonly usesPodUid: boolean
}

export interface K8sPsatOptions {
  readonly clusters: readonly K8sPsatCluster[]
}

export interface K8sPsatDeps {
  readonly trustDomain: TrustDomain
  openCluster(options: ClusterOptions): Promise<Cluster>
}

export function k8sPsatAttestor({ clusters }: K8sPsatOptions, deps: K8sPsatDeps): NodeAttestor {
  const byName = new Map(clusters.map((cluster) => [cluster.name, cluster]))
  return {
    type: K8S_PSAT,
    async attest(payload) {
      return await within(`nodeattestor(${K8S_PSAT})`, async () => {
        const { cluster: name, token } = readK8sPsatPayload(payload)
        const config = byName.get(name)
        if (config === undefined) {
          const why = `not configured for cluster ${JSON.stringify(name)}`
          throw new IdentityError('REQUEST_INVALID', why)
        }
        return await attest(token, config, deps)
      })
    },
  }
}

async function attest(
  token: string,
  config: K8sPsatCluster,
  { trustDomain, openCluster }: K8sPsatDeps,
): Promise<AttestedAs> {
  const { name, usesPodUid } = config
  const shown = `for cluster ${JSON.stringify(name)}`
  const cannotReview = `unable to validate token with TokenReview API ${shown}`
  using cluster = await within(
    `${cannotReview}: unable to get clientset`,
    () => openCluster({ kubeconfig: config.kubeconfig }),
    'INTERNAL',
  )
  const user = await review(cluster, token, config, cannotReview)
  const pod = await readPod(user, config, shown)
  const found = await find(cluster, pod, shown)
  const suffix = usesPodUid ? `pod/${pod.uid}` : found.nodeUid
  return {
    id: spiffeId(trustDomain, `/spire/agent/${K8S_PSAT}/${name}/${suffix}`),
    canReattest: true,
    selectors: k8sPsatSelectors(name, pod, found, config),
  }
}

async function review(
  cluster: Cluster,
  token: string,
  { name, audiences }: K8sPsatCluster,
  cannot: string,
): Promise<TokenUser> {
  const answer = await within(cannot, () =>
    querying('token review', () => reviewToken(cluster, token, audiences)),
  )
  if (answer.kind === 'authenticated') return answer
  if (answer.error !== undefined) {
    throw new IdentityError(
      'INTERNAL',
      `${cannot}: token review API response contains an error: ${answer.error}`,
    )
  }
  throw new IdentityError(
    'NOT_AUTHORIZED',
    `token not authenticated according to TokenReview API for cluster ${JSON.stringify(name)}`,
  )
}

/** The allow list is asked before anything is looked up. */
async function readPod(
  user: TokenUser,
  { serviceAccounts }: K8sPsatCluster,
  shown: string,
): Promise<TokenPod> {
  const account = await within(
    `fail to parse username from token review status ${shown}`,
    async () => readServiceAccount(user),
  )
  const fullName = `${account.namespace}:${account.serviceAccount}`
  if (!serviceAccounts.includes(fullName)) {
    const why = `${JSON.stringify(fullName)} is not an allowed service account ${shown}`
    throw new IdentityError('NOT_AUTHORIZED', why)
  }
  const extra = async (key: 'pod-name' | 'pod-uid', what: string) =>
    await within(`fail to get pod ${what} from token review status ${shown}`, async () =>
      readExtra(user, key, what),
    )
  return {
    ...account,
    name: await extra('pod-name', 'name'),
    uid: await extra('pod-uid', 'UID'),
  }
}

async function find(cluster: Cluster, pod: TokenPod, shown: string): Promise<FoundPod> {
  const failed = (kind: string) => `fail to get ${kind} from k8s API server ${shown}`
  const found = await within(failed('pod'), () => findPod(cluster, pod))
  const node = await within(failed('node'), () => findNode(cluster, found.nodeName))
  if (node.nodeUid === '') throw new IdentityError('INTERNAL', `node UID is empty ${shown}`)
  return { ...found, ...node }
}
