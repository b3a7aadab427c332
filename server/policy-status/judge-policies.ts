/** What there is to say of each policy of a cluster: all of them are looked at together, for one may overrule another. Pure. */
import { assembleSnapshot } from '../../policy/assemble-snapshot.ts'
import type { PolicyObject } from '../../policy/cluster-object.ts'
import type { Finding } from '../../policy/lint/finding.ts'
import { lint } from '../../policy/lint/lint.ts'
import { NOTHING_KNOWN } from '../../policy/lint/surroundings.ts'
import type { MeshSettings } from '../../policy/snapshot.ts'
import { type Condition, conditionsOf } from './conditions.ts'

/** A policy as the cluster has it now. */
export interface JudgedPolicy {
  readonly policy: PolicyObject
  readonly generation: number
}

/** Policies of one namespace that are compared with each other: this process has more to do, and it grows with the square. */
export const MAX_LINTED = 500

/** Workloads and providers are not known here: what only they could tell is left to `steeple analyze`. */
export function judgePolicies<T extends JudgedPolicy>(
  objects: readonly T[],
  mesh: MeshSettings,
): readonly (readonly [object: T, conditions: readonly Condition[]])[] {
  const crowded = crowdedNamespaces(objects)
  const read = objects.flatMap(({ policy }) =>
    crowded.has(policy.namespace) ? [] : (policy.read ?? []),
  )
  const snapshot = assembleSnapshot(mesh, read)
  const findings = Map.groupBy(lint({ snapshot, surroundings: NOTHING_KNOWN }), ofFinding)
  return objects.map((object) => {
    const { policy, generation } = object
    const found = findings.get(keyOf(policy)) ?? []
    const told = conditionsOf(policy, found, generation)
    return [object, crowded.has(policy.namespace) ? told.map(notLinted) : told]
  })
}

/** Whoever may write policies in a namespace of theirs must not keep this server from signing. */
function crowdedNamespaces(objects: readonly JudgedPolicy[]): ReadonlySet<string> {
  const counts = new Map<string, number>()
  for (const { policy } of objects) {
    counts.set(policy.namespace, (counts.get(policy.namespace) ?? 0) + 1)
  }
  return new Set([...counts].flatMap(([name, count]) => (count > MAX_LINTED ? [name] : [])))
}

function notLinted(condition: Condition): Condition {
  if (condition.type !== 'LintPassed' || condition.reason === 'NotAccepted') return condition
  return {
    ...{ type: 'LintPassed', status: 'Unknown', reason: 'TooMany' },
    observedGeneration: condition.observedGeneration,
    message: `the namespace has more than ${MAX_LINTED} policies, which are not compared here; see steeple analyze`,
  }
}

const ofFinding = ({ kind, policy: { namespace, name } }: Finding): string =>
  keyOf({ kind, namespace, name })

const keyOf = ({ kind, namespace, name }: Pick<PolicyObject, 'kind' | 'namespace' | 'name'>) =>
  `${kind} ${namespace}/${name}`
