/**
 * Reads what a policy is attached to: `selector`, `targetRef` or `targetRefs`, one of the three.
 */
import {
  at,
  type Fields,
  fault,
  isAbsent,
  type Reading,
  readFields,
  readList,
  readText,
  readTextMap,
  shown,
  warn,
} from './read-object.ts'
import type { Attachment, TargetRef } from './resource.ts'

/** The schema's bound on `targetRefs`, in entries. */
const MAX_TARGETS = 16

/** Group/kind, the core group written as such. */
const TARGETS = [
  'core/Service',
  'networking.istio.io/ServiceEntry',
  'gateway.networking.k8s.io/Gateway',
  'gateway.networking.k8s.io/GatewayClass',
]

/** `spec` has been checked to be an object. */
export function readAttachment(reading: Reading, spec: Fields): Attachment {
  const targets = [
    ...(isAbsent(spec.targetRef) ? [] : [readTarget(at(reading, 'targetRef'), spec.targetRef)]),
    ...readList(at(reading, 'targetRefs'), spec.targetRefs, MAX_TARGETS, readTarget),
  ].filter((target) => target !== undefined)
  const used = ['selector', 'targetRef', 'targetRefs'].filter((name) => isUsed(spec[name]))
  if (used.length > 1) {
    fault(
      reading,
      `only one of selector, targetRef and targetRefs may be set, found ${used.join(' and ')}`,
    )
  }
  const labels = readSelector(at(reading, 'selector'), spec.selector)
  return targets.length > 0 ? { kind: 'targets', targets } : { kind: 'selector', labels }
}

const isUsed = (value: unknown): boolean =>
  !isAbsent(value) && !(Array.isArray(value) && value.length === 0)

/** Labels that a pod must have; none when there is no selector. */
export function readSelector(reading: Reading, value: unknown): Readonly<Record<string, string>> {
  if (isAbsent(value)) return {}
  const fields = readFields(reading, value, ['matchLabels'])
  if (fields === undefined) return {}
  const inside = at(reading, 'matchLabels')
  const labels = readTextMap(inside, fields.matchLabels)
  for (const [key, text] of Object.entries(labels)) {
    if (key === '') fault(inside, 'a label without a name selects nothing')
    if (key.includes('*') || text.includes('*')) {
      fault(at(inside, key), 'wildcards are not supported in a selector')
    }
  }
  if (isAbsent(fields.matchLabels) || Object.keys(fields.matchLabels).length === 0) {
    warn(reading, 'the selector has no labels and selects every workload; leave it out to say so')
  }
  return labels
}

function readTarget(reading: Reading, value: unknown): TargetRef | undefined {
  const fields = readFields(reading, value, ['group', 'kind', 'name', 'namespace'])
  if (fields === undefined) return undefined
  const group = fields.group === 'core' || isAbsent(fields.group) ? '' : String(fields.group)
  const name = readText(at(reading, 'name'), fields.name)
  const kind = readText(at(reading, 'kind'), fields.kind)
  if (!isAbsent(fields.namespace) && fields.namespace !== '') {
    fault(
      at(reading, 'namespace'),
      `a policy may only refer to objects of its own namespace; remove ${shown(fields.namespace)}`,
    )
  }
  if (name === undefined || kind === undefined) return undefined
  if (!TARGETS.includes(`${group === '' ? 'core' : group}/${kind}`)) {
    return fault(
      reading,
      `expected one of ${TARGETS.join(', ')}, found ${shown(`${group}/${kind}`)}`,
    )
  }
  return { group, kind, name }
}
