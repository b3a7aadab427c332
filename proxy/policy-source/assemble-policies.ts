/**
 * Makes one snapshot of the policy objects of a cluster. Pure. Each namespace stands for itself: one with a mistake keeps its
 * last good policies as a whole, for a restriction that is left out restricts nothing, and no other namespace waits for it.
 * Fails closed: a namespace that never was good denies everything until it is.
 */
import { assembleSnapshot } from '../../policy/assemble-snapshot.ts'
import type { AuthorizationPolicy } from '../../policy/authorization-policy.ts'
import type { PolicyObject, ReadPolicy } from '../../policy/cluster-object.ts'
import type { MeshSettings, PolicySnapshot } from '../../policy/snapshot.ts'

/** What is in force of one namespace. */
export type NamespaceInForce =
  | { readonly kind: 'good'; readonly objects: readonly PolicyObject[] }
  /** There are mistakes, and nothing good was there before. */
  | { readonly kind: 'unreadable' }

/** By namespace; one without objects is left out. */
export type InForceByNamespace = ReadonlyMap<string, NamespaceInForce>

export interface Assembled {
  readonly inForce: InForceByNamespace
  /** Each says where it stands. */
  readonly mistakes: readonly string[]
  readonly warnings: readonly string[]
}

/** Name of the policy that stands for what cannot be read; logs and answers of `explain` show it. */
export const UNREADABLE = 'policies-cannot-be-read'
/** Objects of all namespaces together. What is too much is that of the largest: nobody fills the room of the others. */
export const MAX_OBJECTS = 20_000
/** More mistakes than this are only counted. */
const MAX_MISTAKES = 1_000

/** @param before what was in force; undefined: nothing was ever known */
export function assemblePolicies(
  objects: readonly PolicyObject[],
  before: InForceByNamespace | undefined,
): Assembled {
  const inForce = new Map<string, NamespaceInForce>()
  const mistakes: string[] = []
  const warnings: string[] = []
  const byNamespace = Map.groupBy(objects, (object) => object.namespace)
  const crowded = crowdedNamespaces(byNamespace)
  for (const [namespace, own] of byNamespace) {
    const last = before === undefined ? ({ kind: 'unreadable' } as const) : before.get(namespace)
    if (crowded.has(namespace)) {
      const many = `there are ${own.length} policies in the namespace ${namespace}`
      mistakes.push(`${many} (expected at most ${MAX_OBJECTS} in all namespaces together)`)
      if (last !== undefined) inForce.set(namespace, last)
      continue
    }
    const sorted = own.toSorted(olderFirst)
    for (const object of sorted) {
      const place = `${object.kind} ${object.namespace}/${object.name}`
      const told = ({ field, message }: PolicyObject['faults'][number]) =>
        `${place}: ${field === '' ? '' : `${field}: `}${message}`
      mistakes.push(...object.faults.map(told))
      warnings.push(...object.warnings.map(told))
    }
    const isGood = sorted.every(({ read }) => read !== undefined)
    const now = isGood ? ({ kind: 'good', objects: sorted } as const) : last
    if (now !== undefined) inForce.set(namespace, now)
  }
  return { inForce, mistakes: bounded(mistakes), warnings: bounded(warnings) }
}

function bounded(told: readonly string[]): readonly string[] {
  if (told.length <= MAX_MISTAKES) return told
  return [...told.slice(0, MAX_MISTAKES), `and ${told.length - MAX_MISTAKES} more`]
}

/** Those that there is no room for beside all that are smaller. */
function crowdedNamespaces(
  byNamespace: ReadonlyMap<string, readonly PolicyObject[]>,
): ReadonlySet<string> {
  const crowded = new Set<string>()
  let left = MAX_OBJECTS
  const smallestFirst = [...byNamespace].toSorted(
    ([a, one], [b, other]) => one.length - other.length || compareText(a, b),
  )
  for (const [namespace, { length }] of smallestFirst) {
    if (length > left) crowded.add(namespace)
    else left -= length
  }
  return crowded
}

/** By time, then by name: the order does not depend on when something was seen. */
function olderFirst(one: PolicyObject, other: PolicyObject): number {
  return (
    one.createdMs - other.createdMs ||
    compareText(one.name, other.name) ||
    compareText(one.kind, other.kind)
  )
}

const compareText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

export function snapshotOf(mesh: MeshSettings, inForce: InForceByNamespace): PolicySnapshot {
  const policies = [...inForce].flatMap(([namespace, now]): readonly ReadPolicy[] =>
    now.kind === 'unreadable'
      ? [{ kind: 'AuthorizationPolicy', policy: denyAll(namespace) }]
      : now.objects.flatMap(({ read }) => read ?? []),
  )
  return assembleSnapshot(mesh, policies)
}

/** A DENY that asks nothing matches everything; in the root namespace, for all workloads of the mesh. */
function denyAll(namespace: string): AuthorizationPolicy {
  return {
    ...{ namespace, name: UNREADABLE, attachment: { kind: 'selector', labels: {} } },
    ...{ action: { kind: 'DENY' }, dryRun: false, rules: [{ from: [], to: [], when: [] }] },
  }
}

/** Whether two of them mean the same. */
export function isSameInForce(one: InForceByNamespace, other: InForceByNamespace): boolean {
  if (one.size !== other.size) return false
  return [...one].every(([namespace, now]) => {
    const then = other.get(namespace)
    if (then === undefined || then.kind !== now.kind) return false
    if (then.kind === 'unreadable' || now.kind === 'unreadable') return true
    return (
      then.objects.length === now.objects.length &&
      then.objects.every(({ text }, index) => text === now.objects[index]?.text)
    )
  })
}

export function countObjects(inForce: InForceByNamespace): number {
  let count = 0
  for (const one of inForce.values()) count += one.kind === 'good' ? one.objects.length : 0
  return count
}
