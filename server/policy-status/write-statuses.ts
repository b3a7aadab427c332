/**
 * Writes into the status of each policy whether it is accepted, and what looks wrong in it. Only differences are written, at
 * most one round of them a second, so that another writer of the same conditions cannot make this one busy.
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { copyObjects, type Followed, type ObjectCopy } from '../../kubernetes/follow-objects.ts'
import type { Leadership } from '../../kubernetes/lease.ts'
import { recordAt } from '../../kubernetes/object.ts'
import { servedVersions } from '../../kubernetes/served-version.ts'
import { statusOf } from '../../kubernetes/status.ts'
import type { Log } from '../../log/open-log.ts'
import {
  POLICY_GROUP,
  POLICY_LISTS,
  POLICY_RESOURCES,
  type PolicyKind,
  type PolicyVersion,
  readPolicyObject,
} from '../../policy/cluster-object.ts'
import type { MeshSettings } from '../../policy/snapshot.ts'
import { aborted } from '../../spiffe/aborted.ts'
import { type Bell, createBell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { reasonOf } from '../../spiffe/error.ts'
import type { Random } from '../../spiffe/random.ts'
import { type StatusEdit, statusEdit } from './conditions.ts'
import { type JudgedPolicy, judgePolicies } from './judge-policies.ts'

export interface WriteStatusesDeps {
  readonly cluster: Cluster
  readonly mesh: MeshSettings
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

interface Listed extends Followed, JudgedPolicy {
  /** Where its status is written. */
  readonly path: string
  readonly status: unknown
}

/** What is applied together is judged together. */
const SETTLE_MS = 100
/** Between two rounds of which one wrote something, or could not. */
const ROUND_MS = 1_000
const RETRY_MS = 5_000
/** Of the time that looking at all policies takes, this many times is left to the other work of this process. */
const REST = 20
/** Nothing is missed between two rounds; this one is for what could not be written. */
const LOOK_MS = 5 * 60_000

/** Runs while we lead; never rejects. */
export async function writeStatuses(
  deps: WriteStatusesDeps,
  { signal, mustLead }: Leadership,
): Promise<void> {
  const { log, clock } = deps
  const bell = createBell()
  const copies = await startCopies(deps, bell, signal)
  if (copies === undefined) return
  const following = copies.map((copy) => copy.follow(signal))
  const complete = Promise.all(copies.map((copy) => copy.complete))
  await Promise.race([complete, aborted(signal)])
  while (!signal.aborted) {
    bell.reset()
    const { failed, judgedMs } = await tryRound(copies, deps, { signal, mustLead })
    if (failed !== undefined) log.warn({ reason: failed }, 'Status of policies not written')
    const restMs = Math.max(failed === undefined ? ROUND_MS : RETRY_MS, judgedMs * REST)
    await clock.sleep(restMs, signal)
    const news = AbortSignal.any([signal, bell.signal()])
    await clock.sleep(failed === undefined ? LOOK_MS : RETRY_MS, news)
    await clock.sleep(SETTLE_MS, signal)
  }
  await Promise.all(following)
}

async function startCopies(
  { cluster, clock, random, log }: WriteStatusesDeps,
  bell: Bell,
  signal: AbortSignal,
): Promise<readonly ObjectCopy<Listed>[] | undefined> {
  let told = ''
  while (!signal.aborted) {
    try {
      const versions = await servedVersions(cluster, { ...POLICY_RESOURCES, signal })
      const kinds = Object.keys(POLICY_LISTS) as readonly PolicyKind[] // the keys of a constant
      return kinds.map((kind) =>
        copyObjects<Listed>({
          ...{ cluster, clock, random, log, changed: () => bell.ring() },
          path: `/apis/${POLICY_GROUP}/${versions[kind]}/${POLICY_LISTS[kind]}`,
          read: (object, meta) => read(kind, versions[kind], object, meta),
        }),
      )
    } catch (error) {
      if (signal.aborted) return undefined
      const reason = reasonOf(error)
      if (reason !== told) log.warn({ reason }, 'Policies of the cluster cannot be followed yet')
      told = reason
      await clock.sleep(RETRY_MS, signal)
    }
  }
  return undefined
}

function read(
  kind: PolicyKind,
  version: PolicyVersion,
  object: unknown,
  meta: Followed['meta'],
): Listed {
  const { namespace, name } = meta
  const list = `/apis/${POLICY_GROUP}/${version}/namespaces/${namespace}/${POLICY_LISTS[kind]}`
  return {
    meta: { ...meta, annotations: {}, labels: {}, owners: [] },
    policy: readPolicyObject(kind, version, object, meta),
    generation: meta.generation,
    path: `${list}/${name}/status`,
    status: recordAt(object, 'status'),
  }
}

interface Round {
  /** Why something could not be written; undefined when all is. */
  readonly failed: string | undefined
  /** How long nothing else was done. */
  readonly judgedMs: number
}

/** Whatever a policy or its status makes of a round, the next one comes: a server does not end because of one object. */
async function tryRound(
  copies: readonly ObjectCopy<Listed>[],
  deps: WriteStatusesDeps,
  leadership: Leadership,
): Promise<Round> {
  try {
    return await writeRound(copies, deps, leadership)
  } catch (err) {
    deps.log.error({ err }, 'Policies cannot be judged')
    return { failed: reasonOf(err), judgedMs: 0 }
  }
}

async function writeRound(
  copies: readonly ObjectCopy<Listed>[],
  { cluster, mesh, clock, log }: WriteStatusesDeps,
  { signal, mustLead }: Leadership,
): Promise<Round> {
  const objects = copies.flatMap((copy) => [...copy.values()])
  let failed: string | undefined
  const beganMs = clock.now().getTime()
  const judged = judgePolicies(objects, mesh)
  const judgedMs = Math.max(0, clock.now().getTime() - beganMs)
  for (const [object, conditions] of judged) {
    if (signal.aborted) break
    const edit = statusEdit(object.status, conditions, clock.now())
    if (edit === undefined) continue
    try {
      mustLead()
      await write(cluster, object, edit, signal)
      const { kind, namespace, name } = object.policy
      log.debug({ kind, namespace, name }, 'Status of a policy written')
    } catch (error) {
      // Gone, or changed meanwhile: the watch brings what is there now.
      if ([404, 409].includes(statusOf(error) ?? 0) || signal.aborted) continue
      failed = reasonOf(error)
    }
  }
  return { failed, judgedMs }
}

async function write(
  cluster: Cluster,
  { path, meta }: Listed,
  status: StatusEdit,
  signal: AbortSignal,
): Promise<void> {
  // The version keeps a status away from an object that it is not about.
  const metadata = { resourceVersion: meta.resourceVersion }
  await cluster.request({ method: 'PATCH', path, body: { metadata, status }, signal })
}
