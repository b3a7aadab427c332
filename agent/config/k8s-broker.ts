/**
 * `experimental.broker` of the `k8s` attestor: which brokers it tells of pods and objects, and whether the cluster's authorization is
 * asked each time.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_agent_workloadattestor_k8s.md
 */
import {
  type Context,
  type Key,
  optional,
  placeOf,
  type Read,
  refine,
  required,
  type Spot,
  section,
  withDefault,
} from '../../config/check.ts'
import { eachOf } from '../../config/each-of.ts'
import { addMistake } from '../../config/mistake.ts'
import type { Member } from '../../config/tree.ts'
import { choice, spiffeIdValue } from '../../config/value.ts'
import type { K8sBrokerSettings } from '../attest/k8s/for-brokers.ts'

const oneBroker = section({
  id: required(spiffeIdValue(), 'SPIFFE ID of a broker'),
  pod_reference_scope: withDefault(
    choice(['agent_node', 'cluster']),
    'agent_node',
    'pods that it may refer to',
  ),
})

const keys = section({
  access_policy: required(
    choice(['permissive', 'enforced']),
    'enforced: a SubjectAccessReview must allow the broker impersonate-via-spire on the object',
  ),
  brokers: required(eachOf(oneBroker), 'who is told of pods and objects'),
})

type BrokerRead = Read<(typeof keys)['keys']>

const checked = refine(keys, (read, { report }) => {
  const mistake = (message: string, expected: string) =>
    addMistake(report, placeOf(read, 'brokers'), message, expected)
  const name = 'plugins.WorkloadAttestor.k8s.experimental.broker.brokers'
  const ids = read.brokers?.flatMap(({ id }) => id ?? []) ?? []
  if (read.brokers?.length === 0) mistake(`${name} is empty`, 'at least one broker')
  const twice = ids.find((id, at) => ids.indexOf(id) !== at)
  if (twice !== undefined) mistake(`${name} has ${twice} twice`, 'each broker once')
  return {}
})

/** Brokers are told nothing unless the section is there. */
export function k8sBroker(): Key<BrokerRead | undefined> {
  const read = (found: readonly Member[], spot: Spot, context: Context) =>
    found.length === 0 ? undefined : checked.read(found, spot, context)
  return optional({ ...checked, read }, 'Broker API')
}

export function k8sBrokerSettings(read: BrokerRead | undefined): K8sBrokerSettings | undefined {
  if (read === undefined) return undefined
  const brokers = read.brokers.map(({ id, pod_reference_scope: podScope }) => ({ id, podScope }))
  return { accessPolicy: read.access_policy, brokers }
}
