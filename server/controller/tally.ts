/**
 * What the status of each object says: upstream's counters, and conditions that give the first reason for what is not as
 * declared. Pure.
 *
 * @see https://github.com/spiffe/spire-controller-manager/blob/main/docs/clusterspiffeid-crd.md — ClusterSPIFFEIDStats
 */
import type { Failures } from './carry-out.ts'
import type { CustomResource } from './custom-resource.ts'
import type { DesiredEntries, SpiffeIdResource } from './desired-entries.ts'
import { matchesLabels } from './label-selector.ts'
import { preferred } from './plan.ts'

export interface Condition {
  readonly type: 'Accepted' | 'Programmed'
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

export interface WantedStatus {
  /** Upstream's part. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly conditions: readonly Condition[]
}

interface Counters {
  podsSelected: number
  podEntryRenderFailures: number
  entriesMasked: number
  entriesToSet: number
  entryFailures: number
  /** The first one. */
  problem: string | undefined
}

/** Longer ones are cut: a status is read by people. */
const MAX_MESSAGE_LENGTH = 1_024

/** @returns by the UID of the object */
export function tally(
  desired: DesiredEntries,
  failures: Failures,
): ReadonlyMap<string, WantedStatus> {
  const counters = count(desired, failures)
  const wanted = new Map<string, WantedStatus>()
  for (const [uid, resource] of desired.spiffeIds) {
    const counted = counters.get(uid) ?? nothing()
    const { problem, ...pods } = counted
    const stats = { ...selectedNamespaces(resource, desired), ...pods }
    wanted.set(uid, { fields: { stats }, conditions: conditionsOf(resource, problem) })
  }
  for (const [uid, resource] of desired.statics) {
    const { entriesToSet, entriesMasked, problem } = counters.get(uid) ?? nothing()
    const fields = {
      rendered: resource.spec.kind === 'readable',
      masked: entriesMasked > 0,
      set: entriesToSet > 0 && problem === undefined,
    }
    wanted.set(uid, { fields, conditions: conditionsOf(resource, problem) })
  }
  return wanted
}

function nothing(): Counters {
  return {
    ...{ podsSelected: 0, podEntryRenderFailures: 0, entriesMasked: 0 },
    ...{ entriesToSet: 0, entryFailures: 0, problem: undefined },
  }
}

function count({ declarations }: DesiredEntries, failures: Failures): Map<string, Counters> {
  const all = new Map<string, Counters>()
  const of = (uid: string): Counters => {
    const known = all.get(uid)
    if (known !== undefined) return known
    const fresh = nothing()
    all.set(uid, fresh)
    return fresh
  }
  for (const outcomes of declarations.outcomes()) {
    for (const { source, result } of outcomes) {
      const counted = of(source.uid)
      counted.podsSelected += 1
      if (result.kind === 'not-rendered') counted.podEntryRenderFailures += 1
      if (result.kind === 'refused') {
        counted.entriesToSet += 1
        counted.entryFailures += 1
      }
      if (result.kind === 'not-rendered' || result.kind === 'refused') {
        counted.problem ??= result.reason
      }
    }
  }
  for (const key of declarations.keys()) {
    const declared = declarations.declared(key)
    const winner = preferred(declared)
    const failure = failures.get(key)
    for (const one of declared) {
      const counted = of(one.source.uid)
      if (one !== winner) counted.entriesMasked += 1
      else counted.entriesToSet += 1
      if (one !== winner || failure === undefined) continue
      counted.entryFailures += 1
      counted.problem ??= failure
    }
  }
  return all
}

function selectedNamespaces({ spec }: SpiffeIdResource, { namespaces, isIgnored }: DesiredEntries) {
  let namespacesSelected = 0
  let namespacesIgnored = 0
  if (spec.kind === 'readable') {
    for (const [name, { labels }] of namespaces) {
      if (!matchesLabels(spec.value.namespaceSelector, labels)) continue
      namespacesSelected += 1
      if (isIgnored(name)) namespacesIgnored += 1
    }
  }
  return { namespacesSelected, namespacesIgnored }
}

/** @param problem undefined: everything that the object declares is there */
export function conditionsOf<S>(
  { spec }: CustomResource<S>,
  problem: string | undefined,
): readonly Condition[] {
  if (spec.kind === 'unreadable') {
    return [
      condition('Accepted', 'InvalidSpec', spec.reason),
      condition('Programmed', 'InvalidSpec', 'the spec cannot be read'),
    ]
  }
  return [
    condition('Accepted', 'Accepted', undefined),
    problem === undefined
      ? condition('Programmed', 'Programmed', undefined)
      : condition('Programmed', 'Failures', problem),
  ]
}

/** @param problem undefined for a condition that is met */
function condition(
  type: Condition['type'],
  reason: string,
  problem: string | undefined,
): Condition {
  const message = (problem ?? '').slice(0, MAX_MESSAGE_LENGTH)
  return { type, status: problem === undefined ? 'True' : 'False', reason, message }
}
