/** Whether every node has an agent that the server knows, and the server knows of none that is gone. */
import { readMeta, recordAt, textAt } from '../../kubernetes/object.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import type { Examined, Finding } from './check.ts'
import type { PodState } from './examine-workloads.ts'

/** As far as it is looked at, of what `agent list -output json` prints. */
export interface AttestedAgent {
  readonly id: string
  readonly attestationType: string
  readonly expiresAt: Date
  readonly isBanned: boolean
}

export interface ClusterNode {
  readonly name: string
  readonly uid: string
}

export function readNode(object: unknown): readonly ClusterNode[] {
  const meta = readMeta(object)
  return meta === undefined ? [] : [{ name: meta.name, uid: meta.uid }]
}

export function readAgent(object: unknown): AttestedAgent {
  const id = recordAt(object, 'id')
  return {
    id: `spiffe://${textAt(id, 'trust_domain') ?? ''}${textAt(id, 'path') ?? ''}`,
    attestationType: textAt(object, 'attestation_type') ?? '',
    expiresAt: fromUnixSeconds(Number(valueAt(object, 'x509svid_expires_at'))),
    isBanned: valueAt(object, 'banned') === true,
  }
}

function valueAt(object: unknown, key: string): unknown {
  return (object as Record<string, unknown>)[key] // a record: it came out of a list of JSON objects
}

/**
 * @param prefix of the IDs of this cluster's agents, up to the UID of the node
 * @param pods of the agents, for nodes that have one
 */
export function examineNodes(
  nodes: readonly ClusterNode[],
  agents: readonly AttestedAgent[],
  prefix: string,
  pods: readonly PodState[],
  now: Date,
): Examined {
  const findings: Finding[] = []
  const byId = new Map(agents.map((agent) => [agent.id, agent]))
  let served = 0
  for (const { name, uid } of nodes) {
    const subject = `node ${name}`
    const agent = byId.get(`${prefix}${uid}`)
    const pod = pods.find(({ node }) => node === name)
    const problem = problemOf(agent, pod, now)
    if (problem === undefined) served += 1
    else findings.push({ severity: 'problem', subject, ...problem })
  }
  const known = new Set(nodes.map(({ uid }) => `${prefix}${uid}`))
  for (const { id, isBanned } of agents) {
    if (!id.startsWith(prefix) || known.has(id) || isBanned) continue
    findings.push({
      severity: 'warning',
      subject: `agent ${id}`,
      problem: 'its node is no longer in the cluster',
      remedy: `steeple server agent evict -spiffeID ${id}`,
    })
  }
  return { seen: `${served} of ${nodes.length} nodes have an attested agent`, findings }
}

function problemOf(
  agent: AttestedAgent | undefined,
  pod: PodState | undefined,
  now: Date,
): Pick<Finding, 'problem' | 'remedy'> | undefined {
  if (agent?.isBanned) {
    const remedy = `if it should not be: steeple server agent evict -spiffeID ${agent.id}; it attests anew`
    return { problem: 'its agent is banned', remedy }
  }
  if (pod === undefined) {
    const problem = 'it has no pod of the agent: its workloads get no identities'
    const remedy =
      'see nodeSelector and tolerations of the chart’s agent against labels and taints of the node'
    return { problem, remedy }
  }
  const look = `kubectl logs ${pod.name}, in the namespace of the agents`
  if (agent === undefined) {
    return { problem: `its agent, pod ${pod.name}, has not attested`, remedy: look }
  }
  if (agent.expiresAt > now) return undefined
  return {
    problem: `the SVID of its agent ended at ${agent.expiresAt.toISOString()}`,
    remedy: look,
  }
}
