/**
 * The keys of the k8s_psat node attestor: one block for each cluster that agents may come from.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_nodeattestor_k8s_psat.md
 */
import {
  allMembers,
  type Context,
  type Keys,
  nest,
  optional,
  placeOf,
  type Read,
  type Rule,
  reportRepeated,
  type Spot,
  section,
  withDefault,
} from '../../config/check.ts'
import { addMistake, addRefusal, addWarning } from '../../config/mistake.ts'
import type { Member } from '../../config/tree.ts'
import { listOf, text, truth } from '../../config/value.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { parseSpiffeId } from '../../spiffe/id.ts'
import type { K8sPsatCluster } from '../attest/k8s-psat.ts'

export interface K8sPsatConfig {
  readonly kind: 'k8s_psat'
  readonly clusters: readonly K8sPsatCluster[]
}

const DEFAULT_AUDIENCE = 'spire-server'

const clusterKeys = section({
  allowed_node_label_keys: withDefault(
    listOf(text(), 'label keys'),
    '[]',
    'labels of nodes that become selectors',
  ),
  allowed_pod_label_keys: withDefault(
    listOf(text(), 'label keys'),
    '[]',
    'labels of agents’ pods that become selectors',
  ),
  audience: optional(
    listOf(text(), 'audiences'),
    `whom tokens are made for; ${DEFAULT_AUDIENCE} when left out, with [] the API server itself`,
  ),
  kube_config_file: optional(
    text('a path'),
    'kubeconfig of the cluster; the service account of the server’s own pod when left out',
  ),
  service_account_allow_list: optional(
    listOf(text(), 'service accounts such as spire:spire-agent'),
    'service accounts that agents run as, at least one',
  ),
  use_pod_uid_for_agent_id: withDefault(
    truth(),
    'false',
    'an agent for each pod, pod/<UID> in its ID, instead of one for each node',
  ),
})

/** `clusters = { "<name>" = { … } }` */
const clusters: Rule<readonly K8sPsatCluster[]> & { readonly keys: Keys } = {
  keys: { '"cluster"': nest(clusterKeys, 'one block for each cluster') },
  expected: 'a block for each cluster',
  read: (found, spot, context) => {
    const groups = Map.groupBy(allMembers(found, spot, context), ({ key }) => key)
    if (groups.size === 0) {
      const why = 'No clusters configured, PSAT attestation is effectively disabled'
      addWarning(context.report, spot.place, why)
    }
    return [...groups].flatMap(([name, members]) => {
      const [first] = members
      if (first === undefined) return []
      const inner = { name: `${spot.name}.${name}`, place: first.place }
      reportRepeated(members, inner, context)
      return readCluster(name, first, inner, context)
    })
  },
}

function readCluster(
  name: string,
  member: Member,
  spot: Spot,
  context: Context,
): readonly K8sPsatCluster[] {
  const read = clusterKeys.read([member], spot, context)
  if (read === undefined) return []
  const mistakes = context.report.mistakes.length
  checkName(name, spot, context)
  checkKubeconfig(read, context)
  checkAllowList(name, read, context)
  if (context.report.mistakes.length > mistakes) return []
  const { audience = [DEFAULT_AUDIENCE], service_account_allow_list: accounts = [] } = read
  return [
    {
      name,
      serviceAccounts: accounts,
      audiences: audience,
      kubeconfig: read.kube_config_file,
      allowedNodeLabelKeys: read.allowed_node_label_keys,
      allowedPodLabelKeys: read.allowed_pod_label_keys,
      usesPodUid: read.use_pod_uid_for_agent_id,
    },
  ]
}

type ClusterRead = Read<(typeof clusterKeys)['keys']>

/** The name becomes a part of agents' IDs: with one that cannot, no agent would ever attest. */
function checkName(name: string, { place }: Spot, { report }: Context): void {
  try {
    parseSpiffeId(`spiffe://domain/${name}`)
  } catch (error) {
    addRefusal(report, place, `cluster ${JSON.stringify(name)} cannot be part of agent IDs`, error)
  }
}

function checkAllowList(name: string, read: ClusterRead, { report }: Context): void {
  const place = placeOf(read, 'service_account_allow_list')
  const accounts = read.service_account_allow_list ?? []
  if (accounts.length === 0) {
    const why = `cluster ${JSON.stringify(name)} configuration must have at least one service account allowed`
    addMistake(report, place, why, 'service_account_allow_list')
  }
  for (const account of accounts) {
    if (/^[^:]+:[^:]+$/.test(account)) continue
    const why = `${JSON.stringify(account)} allows nobody: a service account is written namespace:name`
    addWarning(report, place, why)
  }
}

/** Only a warning: the file is read at each attestation, and may come later. */
function checkKubeconfig(read: ClusterRead, { report, readText }: Context): void {
  const { kube_config_file: path } = read
  if (path === undefined) return
  try {
    readText(path)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    addWarning(report, placeOf(read, 'kube_config_file'), reasonOf(error))
  }
}

export const k8sPsat = section({
  clusters: nest(clusters, 'the clusters that agents may come from'),
})

export function k8sPsatConfig(data: Read<(typeof k8sPsat)['keys']>): K8sPsatConfig {
  return { kind: 'k8s_psat', clusters: data.clusters }
}
