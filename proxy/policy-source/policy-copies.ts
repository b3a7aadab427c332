/**
 * Copies of what a proxy needs of a cluster: the policies of its namespaces, and its own pod for the labels that policies
 * select by. Each copy follows the API server by itself; nothing is given out before all of them are complete.
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { copyObjects, type Followed, type ObjectCopy } from '../../kubernetes/follow-objects.ts'
import type { ObjectMeta } from '../../kubernetes/object.ts'
import { servedVersions } from '../../kubernetes/served-version.ts'
import type { Log } from '../../log/open-log.ts'
import {
  POLICY_GROUP,
  POLICY_LISTS,
  POLICY_RESOURCES,
  type PolicyKind,
  type PolicyObject,
  type PolicyVersion,
  readPolicyObject,
} from '../../policy/cluster-object.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { reasonOf } from '../../spiffe/error.ts'
import type { Random } from '../../spiffe/random.ts'

export interface PolicyCopiesOptions {
  readonly cluster: Cluster
  /** Whose policies are followed; undefined: those of all. */
  readonly namespaces: readonly string[] | undefined
  /** Whose labels are followed. */
  readonly pod: PodName | undefined
  /** Told of anything that may change what `now` gives. */
  readonly changed: () => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface PodName {
  readonly namespace: string
  readonly name: string
}

export type Labels = Readonly<Record<string, string>>

export interface ClusterNow {
  readonly objects: readonly PolicyObject[]
  /** Undefined when no pod is followed. */
  readonly labels: Labels | undefined
}

export interface PolicyCopies {
  /** Undefined until everything has been read once. */
  now(): ClusterNow | undefined
  /** Why what is known may be old or is not there yet; undefined while all is in touch. */
  problem(): string | undefined
  /** Runs until the signal aborts; never rejects. */
  follow(signal: AbortSignal): Promise<void>
}

const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 10_000

type Kept = Followed & { readonly policy: PolicyObject }
type Pod = Followed & { readonly labels: Labels }

interface Copies {
  readonly policies: readonly ObjectCopy<Kept>[]
  readonly pod: ObjectCopy<Pod> | undefined
}

export function copyPolicies(options: PolicyCopiesOptions): PolicyCopies {
  const { changed, clock, log } = options
  let copies: Copies | undefined
  let problem: string | undefined = 'the API server has not answered yet'
  let isComplete = false
  let labels: Labels | undefined
  const all = () => (copies === undefined ? [] : [...copies.policies, ...ifAny(copies.pod)])

  const begin = async (signal: AbortSignal): Promise<Copies | undefined> => {
    let retryMs = FIRST_RETRY_MS
    while (!signal.aborted) {
      try {
        return startCopies(
          options,
          await servedVersions(options.cluster, { ...POLICY_RESOURCES, signal }),
        )
      } catch (error) {
        if (signal.aborted) return undefined
        const why = reasonOf(error)
        if (why !== problem) log.warn({ reason: why }, 'Policies of the cluster cannot be read yet')
        problem = why
        await clock.sleep(retryMs, signal)
        retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
      }
    }
    return undefined
  }

  return {
    now() {
      if (copies === undefined || !isComplete) return undefined
      const [pod] = copies.pod?.values() ?? []
      // A pod that is gone is ending, and what it was counts until it has.
      labels = pod?.labels ?? labels
      // Fails closed: without its labels nobody knows which policies are the workload's.
      if (copies.pod !== undefined && labels === undefined) return undefined
      return {
        objects: copies.policies.flatMap((copy) => [...copy.values()].map(({ policy }) => policy)),
        labels,
      }
    },
    problem() {
      if (copies === undefined) return problem
      const lost = all().find((copy) => copy.problem() !== undefined)
      if (lost !== undefined) return lost.problem()
      if (!isComplete) return 'the API server has not answered yet'
      if (options.pod === undefined || labels !== undefined) return undefined
      return `there is no pod ${options.pod.namespace}/${options.pod.name}`
    },
    async follow(signal) {
      copies = await begin(signal)
      if (copies === undefined) return
      const following = all().map((copy) => copy.follow(signal))
      void Promise.all(all().map(({ complete }) => complete)).then(() => {
        isComplete = true
        changed()
      })
      await Promise.all(following)
    },
  }
}

type Versions = Readonly<Record<PolicyKind, PolicyVersion>>

function startCopies(options: PolicyCopiesOptions, versions: Versions): Copies {
  const { cluster, namespaces, pod, changed, clock, random, log } = options
  const follow = { cluster, clock, random, log, synced: changed }
  const where = namespaces?.map((namespace) => `namespaces/${namespace}/`) ?? ['']
  const kinds = Object.keys(POLICY_LISTS) as readonly PolicyKind[] // the keys of a constant
  const policies = kinds.flatMap((kind) =>
    where.map((under) =>
      copyObjects<Kept>({
        ...follow,
        path: `/apis/${POLICY_GROUP}/${versions[kind]}/${under}${POLICY_LISTS[kind]}`,
        read: (object, meta) => ({
          meta: bare(meta),
          policy: readPolicyObject(kind, versions[kind], object, meta),
        }),
        changed: (change) => {
          // Whoever writes a status has changed nothing.
          if (change.kind === 'removed' || change.before?.policy.text !== change.object.policy.text)
            changed()
        },
      }),
    ),
  )
  if (pod === undefined) return { policies, pod: undefined }
  const own = copyObjects<Pod>({
    ...follow,
    path: `/api/v1/namespaces/${pod.namespace}/pods`,
    query: { fieldSelector: `metadata.name=${pod.name}` },
    read: (_, meta) => ({ meta: bare(meta), labels: meta.labels }),
    changed,
  })
  return { policies, pod: own }
}

/** What tools note in annotations may be as long as the object itself. */
function bare(meta: ObjectMeta): ObjectMeta {
  return { ...meta, annotations: {}, labels: {}, owners: [] }
}

const ifAny = <T>(one: T | undefined): readonly T[] => (one === undefined ? [] : [one])
