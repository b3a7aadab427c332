/** Finds Steeple in a cluster: its server and its agents, by the labels that the chart gives them. */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { listObjects } from '../../kubernetes/list-objects.ts'
import {
  type JsonRecord,
  listAt,
  numberAt,
  readMeta,
  recordAt,
  textAt,
  textsAt,
} from '../../kubernetes/object.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { containersOf } from './volume-source.ts'

export interface Workload {
  readonly kind: 'StatefulSet' | 'DaemonSet'
  readonly namespace: string
  readonly name: string
  /** Labels of its pods. */
  readonly selector: Readonly<Record<string, string>>
  readonly serviceAccount: string
  /** Spec of its pods. */
  readonly podSpec: JsonRecord
  /** Name of the container that runs Steeple. */
  readonly container: string
  readonly wanted: number
  readonly ready: number
}

export interface Installation {
  readonly server: Workload
  readonly agents: Workload
}

const APP = 'app.kubernetes.io/name=steeple'

/**
 * @param namespace undefined: wherever it is
 * @throws IdentityError NOT_FOUND when there is none, REQUEST_INVALID when there are several
 */
export async function findInstallation(
  cluster: Cluster,
  namespace: string | undefined,
): Promise<Installation> {
  return {
    server: await findOne(cluster, 'StatefulSet', 'server', namespace),
    agents: await findOne(cluster, 'DaemonSet', 'agent', namespace),
  }
}

async function findOne(
  cluster: Cluster,
  kind: Workload['kind'],
  component: 'server' | 'agent',
  namespace: string | undefined,
): Promise<Workload> {
  const scope = namespace === undefined ? '' : `namespaces/${encodeURIComponent(namespace)}/`
  const path = `/apis/apps/v1/${scope}${kind === 'StatefulSet' ? 'statefulsets' : 'daemonsets'}`
  const labelSelector = `${APP},app.kubernetes.io/component=${component}`
  const found = await listObjects(cluster, path, { labelSelector })
  const where = namespace === undefined ? '' : ` in namespace ${namespace}`
  const [first, second] = found
  if (first === undefined) {
    throw new IdentityError(
      'NOT_FOUND',
      `found no ${kind} with the labels ${labelSelector}${where}: is the chart installed here? -namespace names another place`,
    )
  }
  if (second !== undefined) {
    const places = found.map((one) => readMeta(one)?.namespace ?? '?').join(', ')
    throw new IdentityError(
      'REQUEST_INVALID',
      `found ${found.length} of ${kind} with the labels ${labelSelector}, in namespaces ${places}: name one by -namespace`,
    )
  }
  return readWorkload(first, kind, component)
}

function readWorkload(object: unknown, kind: Workload['kind'], component: string): Workload {
  const meta = readMeta(object)
  const spec = recordAt(object, 'spec')
  const status = recordAt(object, 'status')
  const podSpec = recordAt(recordAt(spec, 'template'), 'spec')
  const names = listAt(podSpec, 'containers').map((one) => textAt(one, 'name') ?? '')
  const isSet = kind === 'StatefulSet'
  return {
    ...{ kind, podSpec },
    namespace: meta?.namespace ?? '',
    name: meta?.name ?? '',
    selector: textsAt(recordAt(spec, 'selector'), 'matchLabels'),
    serviceAccount: textAt(podSpec, 'serviceAccountName') ?? 'default',
    container: names.includes(component) ? component : (names[0] ?? ''),
    wanted: (isSet ? numberAt(spec, 'replicas') : numberAt(status, 'desiredNumberScheduled')) ?? 0,
    ready: numberAt(status, isSet ? 'readyReplicas' : 'numberReady') ?? 0,
  }
}

/** The path after `-config` in what the container runs; undefined when it names none. */
export function configPathOf({ podSpec, container }: Workload): string | undefined {
  const of = containersOf(podSpec).find((one) => textAt(one, 'name') === container)
  const words = [...listAt(of, 'command'), ...listAt(of, 'args')].map(String)
  for (const [index, word] of words.entries()) {
    if (/^--?config$/.test(word)) return words[index + 1]
    const inline = /^--?config=(.*)$/.exec(word)?.[1]
    if (inline !== undefined) return inline
  }
  return undefined
}

/** As a query parameter. */
export function labelQuery(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}
