/**
 * Whether agents learn from their kubelets which pods there are. Each agent is asked, on its own node, what it knows of a
 * process in its own pod: that takes its right to ask, its way to the kubelet, and the kubelet's answer.
 */
import { listAt, readMeta, recordAt, textAt } from '../../kubernetes/object.ts'
import type { RunInPod } from '../../kubernetes/run-in-pod.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Examined, Finding } from './check.ts'
import type { PodState } from './examine-workloads.ts'
import type { Workload } from './installation.ts'

/** Agents that are asked, the first by name; each takes a second or two. */
const MOST_ASKED = 20

/** Runs `steeple why` for the process that it is itself, whose number only it knows. */
const ASK_ABOUT_ITSELF = [
  "const { spawnSync } = require('node:child_process')",
  "const why = ['why', '-pid', String(process.pid), '-output', 'json', '-socketPath', process.argv[1]]",
  "const { status } = spawnSync('/usr/local/bin/steeple', why, { stdio: 'inherit' })",
  'process.exit(status ?? 1)',
].join(';')

/** @param adminSocket of the agent, in its container; undefined: it has none */
export async function examineKubelets(
  run: RunInPod,
  agents: Workload,
  adminSocket: string | undefined,
  pods: readonly PodState[],
  nodes: readonly unknown[],
): Promise<Examined> {
  const findings = nodes.flatMap(notReady)
  if (adminSocket === undefined) {
    throw new IdentityError('NOT_FOUND', 'agents have no admin_socket_path to be asked at')
  }
  const asked = pods.filter(({ isReady }) => isReady).slice(0, MOST_ASKED)
  let knowing = 0
  for (const { name, node } of asked) {
    const problem = await problemOf(run, agents, adminSocket, name)
    if (problem === undefined) {
      knowing += 1
      continue
    }
    const remedy = `kubectl logs -n ${agents.namespace} ${name} -c ${agents.container}`
    findings.push({ severity: 'problem', subject: `agent on node ${node}`, problem, remedy })
  }
  return { seen: `${knowing} of ${asked.length} agents that were asked know their pods`, findings }
}

function notReady(node: unknown): readonly Finding[] {
  const name = readMeta(node)?.name ?? ''
  const conditions = listAt(recordAt(node, 'status'), 'conditions')
  const ready = conditions.find((one) => textAt(one, 'type') === 'Ready')
  if (textAt(ready, 'status') === 'True') return []
  const problem = `it is not ready: ${textAt(ready, 'message') ?? 'nobody says why'}`
  const remedy = `kubectl describe node ${name}, and the log of its kubelet`
  return [{ severity: 'problem', subject: `node ${name}`, problem, remedy }]
}

async function problemOf(
  run: RunInPod,
  { namespace, container }: Workload,
  adminSocket: string,
  pod: string,
): Promise<string | undefined> {
  const { code, stdout, stderr } = await run({ namespace, pod, container }, [
    ...['/usr/local/bin/node', '-e', ASK_ABOUT_ITSELF, adminSocket],
  ])
  if (code !== 0) return `it does not say what it knows of its own pod: ${stderr.trim()}`
  return whyUnknown(stdout)
}

/** @param explanation what `steeple why -output json` printed @returns undefined when the agent knows the pod */
export function whyUnknown(explanation: string): string | undefined {
  const findings = listAt(parse(explanation), 'findings')
  const k8s = findings.find((one) => textAt(one, 'attestor') === 'k8s')
  if (k8s === undefined) return 'it has no workload attestor k8s: no pod is told from another'
  const error = textAt(k8s, 'error') ?? ''
  if (error !== '') return `it does not know its own pod: ${error}`
  const isKnown = listAt(k8s, 'selectors').some((one) => String(one).startsWith('k8s:pod-uid:'))
  return isKnown ? undefined : 'it does not take its own pod for one'
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
