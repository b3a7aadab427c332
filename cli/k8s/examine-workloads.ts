/** Whether server and agents run: pods that are ready, and of those that are not, why. */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { listObjects } from '../../kubernetes/list-objects.ts'
import { listAt, readMeta, recordAt, textAt } from '../../kubernetes/object.ts'
import type { Examined, Finding } from './check.ts'
import { labelQuery, type Workload } from './installation.ts'

export interface PodState {
  readonly name: string
  readonly node: string
  readonly isReady: boolean
  /** Empty when nothing is known. */
  readonly why: string
}

/** Texts of the cluster are cut; some carry whole logs. */
const MAX_TEXT = 400

export async function readPodsOf(
  cluster: Cluster,
  { namespace, selector }: Workload,
): Promise<readonly PodState[]> {
  const of = `/api/v1/namespaces/${encodeURIComponent(namespace)}`
  const pods = await listObjects(cluster, `${of}/pods`, { labelSelector: labelQuery(selector) })
  const states = pods.map(podState)
  if (states.every(({ isReady }) => isReady)) return states
  const warnings = await listObjects(cluster, `${of}/events`, {
    fieldSelector: 'type=Warning,involvedObject.kind=Pod',
  }).catch(() => []) // they would only say more
  return states.map((state) => {
    if (state.isReady) return state
    const told = warnings.filter(
      (event) => textAt(recordAt(event, 'involvedObject'), 'name') === state.name,
    )
    const last = textAt(told.at(-1), 'message')
    const all = [state.why, ...(last === undefined ? [] : [last.trim()])]
    return {
      ...state,
      why: all
        .filter((text) => text !== '')
        .join('; ')
        .slice(0, MAX_TEXT),
    }
  })
}

function podState(pod: unknown): PodState {
  const status = recordAt(pod, 'status')
  const condition = (type: string) =>
    listAt(status, 'conditions').find((one) => textAt(one, 'type') === type)
  const isReady = textAt(condition('Ready'), 'status') === 'True'
  return {
    name: readMeta(pod)?.name ?? '',
    node: textAt(recordAt(pod, 'spec'), 'nodeName') ?? '',
    isReady,
    why: isReady ? '' : whyNot(status, condition('PodScheduled')),
  }
}

function whyNot(status: unknown, scheduled: unknown): string {
  if (textAt(scheduled, 'status') === 'False') {
    return `it is on no node: ${textAt(scheduled, 'message') ?? 'nobody says why'}`
  }
  for (const container of listAt(status, 'containerStatuses')) {
    const waiting = recordAt(recordAt(container, 'state'), 'waiting')
    const ended = recordAt(recordAt(container, 'lastState'), 'terminated')
    const reason = textAt(waiting, 'reason')
    const last = textAt(ended, 'message') ?? textAt(ended, 'reason')
    if (reason !== undefined) {
      const more = textAt(waiting, 'message') ?? ''
      return [reason, more, last === undefined ? '' : `it ended before: ${last}`]
        .filter((text) => text !== '')
        .join(': ')
    }
  }
  return 'it runs and is not ready'
}

export function examinePods(workload: Workload, pods: readonly PodState[]): Examined {
  const { kind, namespace, name, container, wanted, ready } = workload
  const findings = pods.flatMap(({ name: pod, node, isReady, why }): Finding[] => {
    if (isReady) return []
    const subject = `pod ${namespace}/${pod}${node === '' ? '' : ` on ${node}`}`
    const remedy = `kubectl logs -n ${namespace} ${pod} -c ${container} --previous, or kubectl describe pod -n ${namespace} ${pod}`
    return [{ severity: 'problem', subject, problem: why, remedy }]
  })
  const subject = `${kind} ${namespace}/${name}`
  if (wanted === 0) {
    const problem = kind === 'DaemonSet' ? 'it is wanted on no node' : 'no pod of it is wanted'
    const remedy = `kubectl describe -n ${namespace} ${kind.toLowerCase()} ${name}`
    findings.push({ severity: 'problem', subject, problem, remedy })
  } else if (pods.length < wanted) {
    const problem = `it has ${pods.length} of ${wanted} pods`
    const remedy = `kubectl describe -n ${namespace} ${kind.toLowerCase()} ${name}`
    findings.push({ severity: 'problem', subject, problem, remedy })
  }
  return { seen: `${ready} of ${wanted} pods are ready`, findings }
}
