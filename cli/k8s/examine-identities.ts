/**
 * Whether the pods that ClusterSPIFFEIDs select get their identities, and if not, why: by the very functions by which the
 * controller makes entries of pods, beside the entries and agents that the server has.
 */
import { dirname } from 'node:path'
import { isRecord, listAt, readMeta, recordAt, textAt } from '../../kubernetes/object.ts'
import {
  type NodeCopy,
  type PodCopy,
  readNode,
  readPod,
} from '../../server/controller/cluster-objects.ts'
import {
  type ClusterSpiffeIdSpec,
  parseClusterSpiffeIdSpec,
} from '../../server/controller/cluster-spiffe-id.ts'
import { type ClassSettings, resourceReader } from '../../server/controller/custom-resource.ts'
import type { Labels } from '../../server/controller/label-selector.ts'
import { keyOf } from '../../server/controller/plan.ts'
import {
  type Outcome,
  podOutcomes,
  type SpiffeIdSource,
  type Surroundings,
} from '../../server/controller/pod-outcomes.ts'
import type { RenderSettings } from '../../server/controller/render-entry.ts'
import type { Check, Finding } from './check.ts'
import type { AttestedAgent } from './examine-nodes.ts'
import { CSI_DRIVER } from './examine-sockets.ts'

export interface IdentityQuestion {
  readonly settings: RenderSettings
  readonly classes: ClassSettings
  readonly ignoredNamespaces: readonly RegExp[]
  /** Objects as the API server has them. */
  readonly clusterSpiffeIds: readonly unknown[]
  readonly pods: readonly unknown[]
  readonly nodes: readonly unknown[]
  readonly namespaces: readonly unknown[]
  /** `keyOf` of each entry of the server. */
  readonly entryKeys: ReadonlySet<string>
  readonly agents: readonly AttestedAgent[]
  /** Where agents put their socket on nodes; undefined: nobody knows. */
  readonly socket: string | undefined
  readonly now: Date
}

type Told = Pick<Check, 'seen' | 'findings'>

export function examineIdentities(question: IdentityQuestion): Told {
  const { resources, specs, findings } = readSpecs(question)
  const around = surroundings(question, specs)
  let selected = 0
  let served = 0
  for (const object of question.pods) {
    const meta = readMeta(object)
    if (meta === undefined || meta.deletedAt !== undefined || isOver(object)) continue
    const pod = readPod(object, meta)
    for (const { source, result } of podOutcomes(pod, around)) {
      if (result.kind === 'covered') continue
      selected += 1
      const why = whyNone(result, pod, question)
      if (why === undefined) served += 1
      const unasked = why ?? whyUnasked(object, question)
      if (unasked === undefined) continue
      const by = resources.get(source.uid) ?? source.uid
      const subject = `pod ${pod.namespace}/${meta.name}, by ClusterSPIFFEID ${by}`
      findings.push({ subject, ...unasked })
    }
  }
  return { seen: `${served} of ${selected} identities of pods are registered`, findings }
}

function readSpecs({ clusterSpiffeIds, classes }: IdentityQuestion) {
  const read = resourceReader<ClusterSpiffeIdSpec>(classes, parseClusterSpiffeIdSpec)
  const resources = new Map<string, string>()
  const specs: SpiffeIdSource[] = []
  const findings: Finding[] = []
  for (const object of clusterSpiffeIds) {
    const meta = readMeta(object)
    const resource = meta === undefined ? undefined : read(object, meta)
    if (resource === undefined) continue
    const { name, uid } = resource.meta
    resources.set(uid, name)
    if (resource.spec.kind === 'readable') {
      specs.push({ source: resource.source, spec: resource.spec.value })
      continue
    }
    const problem = `it registers nothing: ${resource.spec.reason}`
    const remedy = `kubectl edit clusterspiffeid ${name}`
    findings.push({ severity: 'problem', subject: `ClusterSPIFFEID ${name}`, problem, remedy })
  }
  return { resources, specs, findings }
}

function surroundings(question: IdentityQuestion, specs: readonly SpiffeIdSource[]): Surroundings {
  const nodes = new Map<string, NodeCopy>()
  for (const object of question.nodes) {
    const meta = readMeta(object)
    if (meta !== undefined) nodes.set(meta.name, readNode(object, meta))
  }
  const namespaces = new Map<string, Labels>()
  for (const object of question.namespaces) {
    const meta = readMeta(object)
    if (meta !== undefined) namespaces.set(meta.name, meta.labels)
  }
  return {
    settings: question.settings,
    specs: () => specs,
    namespaceLabels: (name) => namespaces.get(name),
    isIgnored: (name) => question.ignoredNamespaces.some((pattern) => pattern.test(name)),
    node: (name) => nodes.get(name),
    // Names of Services are no part of what tells one entry from another.
    servicesOf: () => [],
  }
}

/** What has ended asks for nothing any more. */
function isOver(pod: unknown): boolean {
  return /^(Succeeded|Failed)$/.test(textAt(recordAt(pod, 'status'), 'phase') ?? '')
}

function whyNone(
  result: Exclude<Outcome['result'], { readonly kind: 'covered' }>,
  { nodeName, namespace, meta }: PodCopy,
  { entryKeys, agents, now }: IdentityQuestion,
): Omit<Finding, 'subject'> | undefined {
  switch (result.kind) {
    case 'waiting': {
      const problem =
        nodeName === '' ? 'it is on no node yet' : `it is on node ${nodeName}, which is not there`
      const remedy = `kubectl describe pod -n ${namespace} ${meta.name}`
      return { severity: 'warning', problem, remedy }
    }
    case 'not-rendered':
    case 'refused':
      return {
        severity: 'problem',
        problem: `it gets no entry: ${result.reason}`,
        remedy: 'correct the templates of the ClusterSPIFFEID, or the labels that they use',
      }
    case 'entry': {
      const { fields } = result
      if (!entryKeys.has(keyOf(fields))) {
        const problem = `the server has no entry ${fields.spiffeId} for it`
        const remedy = 'read the log of the server for why its controller does not register it'
        return { severity: 'problem', problem, remedy }
      }
      const agent = agents.find(({ id }) => id === fields.parentId)
      if (agent !== undefined && !agent.isBanned && agent.expiresAt > now) return undefined
      const problem = `its entry is for the agent ${fields.parentId}, which is ${agent === undefined ? 'not attested' : agent.isBanned ? 'banned' : 'expired'}`
      return { severity: 'problem', problem, remedy: `see what is said of node ${nodeName}` }
    }
    default:
      return result satisfies never
  }
}

/** A pod that is registered, and mounts nothing to ask for its identity by. */
function whyUnasked(
  pod: unknown,
  { socket }: IdentityQuestion,
): Omit<Finding, 'subject'> | undefined {
  if (socket === undefined) return undefined
  const volumes = listAt(recordAt(pod, 'spec'), 'volumes')
  const isWay = (volume: unknown) => {
    const path = textAt(recordAt(volume, 'hostPath'), 'path')?.replace(/\/+$/, '')
    const isCertificate = listAt(recordAt(volume, 'projected'), 'sources').some(
      (source) => isRecord(source) && 'podCertificate' in source,
    )
    const isDriver = textAt(recordAt(volume, 'csi'), 'driver') === CSI_DRIVER
    return isDriver || isCertificate || (path !== undefined && socket.startsWith(`${path}/`))
  }
  if (volumes.some(isWay)) return undefined
  const problem = 'it mounts no socket of the Workload API, and cannot ask for its identity'
  const remedy = `mount the hostPath ${dirname(socket)}, or a volume of the CSI driver ${CSI_DRIVER}`
  return { severity: 'warning', problem, remedy }
}
