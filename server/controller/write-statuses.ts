/**
 * Writes statuses back to the cluster: only those that say something else than before, each object at most once in a
 * while, and never again what the API server has taken already. So a status that somebody prunes or that a busy cluster
 * keeps changing does not become a loop.
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { type JsonRecord, listAt, recordAt, textAt } from '../../kubernetes/object.ts'
import { statusOf } from '../../kubernetes/status.ts'
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { GROUP_PATH } from './cluster-copies.ts'
import type { CustomResource } from './custom-resource.ts'
import type { Condition, WantedStatus } from './tally.ts'

export interface StatusTarget {
  /** E.g. `clusterspiffeids`. */
  readonly plural: string
  readonly resource: CustomResource<unknown>
  readonly wanted: WantedStatus
}

export interface WriteStatusesDeps {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly log: Log
  /** @throws when we may not write any more */
  mustLead(): void
}

export interface StatusWriter {
  /** @returns how many could not be written, which is to be tried again */
  write(targets: readonly StatusTarget[], signal: AbortSignal): Promise<number>
}

export function createStatusWriter(deps: WriteStatusesDeps): StatusWriter {
  /** UID → what was written last, without times. */
  const written = new Map<string, string>()
  return {
    async write(targets, signal) {
      const uids = new Set(targets.map(({ resource }) => resource.meta.uid))
      for (const uid of written.keys()) if (!uids.has(uid)) written.delete(uid)
      let failed = 0
      for (const target of targets) {
        if (signal.aborted) return failed
        const { uid, generation } = target.resource.meta
        const content = JSON.stringify([generation, target.wanted])
        if (!isDue(target, written.get(uid) === content)) continue
        deps.mustLead()
        if (await patch(target, deps, signal)) written.set(uid, content)
        else failed += 1
      }
      return failed
    },
  }
}

/** Conditions are an addition to upstream's schema, and upstream's own CRDs drop them: those count only once. */
function isDue({ resource, wanted }: StatusTarget, isWritten: boolean): boolean {
  const hasFields = Object.entries(wanted.fields).every(([key, value]) =>
    isSame(value, resource.status[key]),
  )
  if (!hasFields) return true
  return !isWritten && !hasConditions(resource.status, wanted.conditions, resource.meta.generation)
}

function isSame(wanted: unknown, present: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return wanted === present
  return Object.entries(wanted).every(([key, value]) => {
    const there = recordAt({ present }, 'present')[key]
    // A counter that was never written is none.
    return value === (there ?? 0)
  })
}

function hasConditions(
  status: JsonRecord,
  conditions: readonly Condition[],
  generation: number,
): boolean {
  const present = listAt(status, 'conditions')
  return conditions.every(({ type, status: wanted, reason, message }) =>
    present.some(
      (one) =>
        textAt(one, 'type') === type &&
        textAt(one, 'status') === wanted &&
        textAt(one, 'reason') === reason &&
        textAt(one, 'message') === message &&
        recordAt({ one }, 'one').observedGeneration === generation,
    ),
  )
}

async function patch(
  { plural, resource, wanted }: StatusTarget,
  { cluster, clock, log }: WriteStatusesDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { name, uid, generation } = resource.meta
  const now = clock
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
  const conditions = wanted.conditions.map((condition) => ({
    ...condition,
    observedGeneration: generation,
    lastTransitionTime: transitionTime(resource.status, condition) ?? now,
  }))
  try {
    await cluster.request({
      ...{ method: 'PATCH', path: `${GROUP_PATH}/${plural}/${name}/status`, signal },
      // The UID keeps another object of that name from getting this status.
      body: { metadata: { uid }, status: { ...wanted.fields, conditions } },
    })
    return true
  } catch (err) {
    const code = statusOf(err)
    // It is gone, or another one has its name: the watch will say so.
    if (code === 404 || code === 409) return true
    if (!signal.aborted) log.warn({ err, kind: plural, name }, 'A status could not be written')
    return false
  }
}

function transitionTime(
  status: JsonRecord,
  { type, status: wanted }: Condition,
): string | undefined {
  const before = listAt(status, 'conditions').find((one) => textAt(one, 'type') === type)
  return textAt(before, 'status') === wanted ? textAt(before, 'lastTransitionTime') : undefined
}
