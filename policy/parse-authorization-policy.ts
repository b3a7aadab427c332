/**
 * Reads an AuthorizationPolicy and refuses what Istio's schema and webhook refuse, with every mistake at its field.
 * What it warns of is accepted, but probably not what its author meant.
 *
 * @see https://istio.io/latest/docs/reference/config/security/authorization-policy/
 */
import type { Action, AuthorizationPolicy } from './authorization-policy.ts'
import { readAttachment } from './parse-attachment.ts'
import { readRules } from './parse-rule.ts'
import {
  at,
  type Envelope,
  type Fields,
  fault,
  isAbsent,
  type Reading,
  readEnvelope,
  readFields,
  readText,
  shown,
} from './read-object.ts'
import type { Parsed } from './resource.ts'

export const DRY_RUN = 'istio.io/dry-run'

const FIELDS = ['selector', 'targetRef', 'targetRefs', 'action', 'provider', 'rules']
const ACTIONS = ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'] as const

/** Providers are named by DNS labels. */
const PROVIDER_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** `object` is what a YAML or JSON parser, or the Kubernetes API, gave. */
export function parseAuthorizationPolicy(object: unknown): Parsed<AuthorizationPolicy> {
  const reading: Reading = { path: '', faults: [], warnings: [] }
  const envelope = readEnvelope(reading, object, 'AuthorizationPolicy')
  const inside = at(reading, 'spec')
  const spec = envelope && readFields(inside, envelope.spec, FIELDS)
  if (envelope === undefined || spec === undefined) {
    return { kind: 'faults', faults: reading.faults }
  }
  const action = readAction(inside, spec)
  const policy: AuthorizationPolicy = {
    namespace: envelope.namespace,
    name: envelope.name,
    attachment: readAttachment(inside, spec),
    action,
    dryRun: readDryRun(reading, envelope, action),
    rules: readRules(at(inside, 'rules'), spec.rules, action),
  }
  return reading.faults.length > 0
    ? { kind: 'faults', faults: reading.faults }
    : { kind: 'policy', policy, warnings: reading.warnings }
}

function readAction(reading: Reading, spec: Fields): Action {
  const kind = isAbsent(spec.action) ? 'ALLOW' : ACTIONS.find((name) => name === spec.action)
  if (kind === undefined) {
    fault(at(reading, 'action'), `expected ${ACTIONS.join(', ')}, found ${shown(spec.action)}`)
    return { kind: 'DENY' }
  }
  const inside = at(reading, 'provider')
  if (kind !== 'CUSTOM') {
    if (!isAbsent(spec.provider)) {
      fault(inside, `only the action CUSTOM asks a provider, found ${kind}`)
    }
    return { kind }
  }
  const fields = isAbsent(spec.provider)
    ? fault(inside, 'the action CUSTOM needs the name of a provider')
    : readFields(inside, spec.provider, ['name'])
  const name = fields && readText(at(inside, 'name'), fields.name)
  if (name !== undefined && !PROVIDER_NAME.test(name)) {
    fault(at(inside, 'name'), `expected a DNS label of at most 63 characters, found ${shown(name)}`)
  }
  return { kind, provider: name ?? '' }
}

/** The forms that Kubernetes' own tools take for true and false. */
const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True']
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False']

function readDryRun(reading: Reading, envelope: Envelope, action: Action): boolean {
  const value = envelope.annotations[DRY_RUN]
  if (value === undefined) return false
  const place = at(at(at(reading, 'metadata'), 'annotations'), DRY_RUN)
  if (action.kind === 'AUDIT' || action.kind === 'CUSTOM') {
    fault(place, `dry-run is for the actions ALLOW and DENY, found ${action.kind}`)
  } else if (!TRUE.includes(value) && !FALSE.includes(value)) {
    fault(place, `expected true or false, found ${shown(value)}`)
  }
  return TRUE.includes(value)
}

/** The annotation means something on an AuthorizationPolicy alone. */
export function refuseDryRun(reading: Reading, envelope: Envelope): void {
  if (envelope.annotations[DRY_RUN] !== undefined) {
    fault(
      at(at(at(reading, 'metadata'), 'annotations'), DRY_RUN),
      'only an AuthorizationPolicy may be tried in dry-run; remove it',
    )
  }
}
