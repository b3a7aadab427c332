/** Whether workloads find the socket of the Workload API: where agents put it on nodes, and where pods look for it. */
import { dirname } from 'node:path'
import { listAt, readMeta, recordAt, textAt } from '../../kubernetes/object.ts'
import type { Examined, Finding } from './check.ts'
import type { Workload } from './installation.ts'
import { containersOf, volumeSource } from './volume-source.ts'

export const CSI_DRIVER = 'csi.spiffe.io'
/** Names the socket to every SPIFFE library. */
const VARIABLE = 'SPIFFE_ENDPOINT_SOCKET'

/** @returns the socket's path on the node; undefined when it does not get there */
export function socketOnNode(agents: Workload, socketPath: string): string | undefined {
  const place = volumeSource(agents.podSpec, agents.container, socketPath)
  return place.kind === 'hostPath' ? place.path : undefined
}

/** @param pods whole objects; only those that name a socket are looked at */
export function examineSockets(
  agents: Workload,
  socketPath: string,
  pods: readonly unknown[],
): Examined {
  const findings: Finding[] = []
  const subject = `DaemonSet ${agents.namespace}/${agents.name}`
  const place = volumeSource(agents.podSpec, agents.container, socketPath)
  if (place.kind !== 'hostPath') {
    const what = place.kind === 'none' ? 'its own file system' : `a volume of kind ${kindOf(place)}`
    const problem = `its socket_path ${socketPath} is in ${what}: no other pod can reach it`
    const remedy = `mount a hostPath volume at ${dirname(socketPath)}`
    findings.push({ severity: 'problem', subject, problem, remedy })
    return { seen: '', findings }
  }
  if (place.isReadOnly) {
    const problem = `it mounts ${dirname(socketPath)} read-only: its socket cannot be made`
    findings.push({ severity: 'problem', subject, problem, remedy: 'mount it writable' })
  }
  let looking = 0
  for (const pod of pods) {
    const path = namedSocket(pod)
    if (path === undefined) continue
    looking += 1
    const problem = socketProblem(pod, path, place.path)
    if (problem === undefined) continue
    const meta = readMeta(pod)
    findings.push({
      severity: 'problem',
      subject: `pod ${meta?.namespace}/${meta?.name}, container ${path.container}`,
      problem,
      remedy: `mount the hostPath ${dirname(place.path)}, or a volume of the CSI driver ${CSI_DRIVER}, and let ${VARIABLE} name the socket in it`,
    })
  }
  return { seen: `${place.path} on each node, ${looking} pods look for one`, findings }
}

interface NamedSocket {
  readonly container: string
  readonly path: string
}

/** The first container that names a socket to SPIFFE libraries. */
function namedSocket(pod: unknown): NamedSocket | undefined {
  if (/^(Succeeded|Failed)$/.test(textAt(recordAt(pod, 'status'), 'phase') ?? '')) return undefined
  for (const container of containersOf(recordAt(pod, 'spec'))) {
    const variable = listAt(container, 'env').find((one) => textAt(one, 'name') === VARIABLE)
    const path = /^(?:unix:(?:\/\/)?)?(\/.*)$/.exec(textAt(variable, 'value') ?? '')?.[1]
    if (path !== undefined) return { container: textAt(container, 'name') ?? '', path }
  }
  return undefined
}

function socketProblem(
  pod: unknown,
  { container, path }: NamedSocket,
  expected: string,
): string | undefined {
  const place = volumeSource(recordAt(pod, 'spec'), container, path)
  switch (place.kind) {
    case 'hostPath':
      return place.path === expected
        ? undefined
        : `it looks for the socket at ${place.path} on its node, and agents put it at ${expected}`
    case 'csi':
      return place.driver === CSI_DRIVER
        ? undefined
        : `it looks for the socket in a volume of the CSI driver ${place.driver}, expected ${CSI_DRIVER}`
    case 'none':
      return `it looks for the socket at ${path}, where nothing is mounted`
    default:
      // The socket may come there by other means, e.g. an emptyDir in which a sidecar listens.
      return undefined
  }
}

function kindOf(place: ReturnType<typeof volumeSource>): string {
  return place.kind === 'other' ? place.volume : place.kind
}
