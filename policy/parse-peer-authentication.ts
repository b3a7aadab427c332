/**
 * Reads a PeerAuthentication and refuses what Istio's schema and webhook refuse, with every mistake at its field.
 *
 * @see https://istio.io/latest/docs/reference/config/security/peer_authentication/
 */
import { readSelector } from './parse-attachment.ts'
import { refuseDryRun } from './parse-authorization-policy.ts'
import type { PeerAuthentication, WrittenMode } from './peer-authentication.ts'
import {
  at,
  fault,
  isAbsent,
  type Reading,
  readEnvelope,
  readFields,
  shown,
} from './read-object.ts'
import type { Parsed } from './resource.ts'

const MODES = ['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT'] as const

/** `object` is what a YAML or JSON parser, or the Kubernetes API, gave. */
export function parsePeerAuthentication(object: unknown): Parsed<PeerAuthentication> {
  const reading: Reading = { path: '', faults: [], warnings: [] }
  const envelope = readEnvelope(reading, object, 'PeerAuthentication')
  const inside = at(reading, 'spec')
  const spec = envelope && readFields(inside, envelope.spec, ['selector', 'mtls', 'portLevelMtls'])
  if (envelope === undefined || spec === undefined) {
    return { kind: 'faults', faults: reading.faults }
  }
  refuseDryRun(reading, envelope)
  const labels = readSelector(at(inside, 'selector'), spec.selector)
  const policy: PeerAuthentication = {
    namespace: envelope.namespace,
    name: envelope.name,
    labels,
    createdMs: envelope.createdMs,
    mode: readMode(at(inside, 'mtls'), spec.mtls),
    portModes: readPorts(at(inside, 'portLevelMtls'), spec.portLevelMtls),
  }
  if (!isAbsent(spec.portLevelMtls) && Object.keys(labels).length === 0) {
    fault(
      at(inside, 'portLevelMtls'),
      'ports belong to workloads; set selector.matchLabels, or remove it from a mesh or namespace policy',
    )
  }
  return reading.faults.length > 0
    ? { kind: 'faults', faults: reading.faults }
    : { kind: 'policy', policy, warnings: reading.warnings }
}

/** Absent is `UNSET`. */
function readMode(reading: Reading, value: unknown): WrittenMode {
  if (isAbsent(value)) return 'UNSET'
  const fields = readFields(reading, value, ['mode'])
  if (fields === undefined || isAbsent(fields.mode)) return 'UNSET'
  const mode = MODES.find((name) => name === fields.mode)
  if (mode === undefined) {
    fault(at(reading, 'mode'), `expected ${MODES.join(', ')}, found ${shown(fields.mode)}`)
  }
  // STRICT on doubt; with the fault above the object is refused anyway.
  return mode ?? 'STRICT'
}

function readPorts(reading: Reading, value: unknown): ReadonlyMap<number, WrittenMode> {
  const modes = new Map<number, WrittenMode>()
  if (isAbsent(value)) return modes
  if (typeof value !== 'object' || Array.isArray(value)) {
    fault(reading, `expected an object with ports, found ${shown(value)}`)
    return modes
  }
  const entries = Object.entries(value)
  if (entries.length === 0) fault(reading, 'it has no ports; name at least one, or remove it')
  for (const [key, written] of entries) {
    const port = /^\d{1,5}$/.test(key) ? Number(key) : 0
    if (port < 1 || port > 65_535) {
      fault(at(reading, key), `expected a port of 1 to 65535, found ${shown(key)}`)
    }
    modes.set(port, readMode(at(reading, key), written))
  }
  return modes
}
