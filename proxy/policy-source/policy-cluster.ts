/**
 * Policies from the Kubernetes API: followed by watches, put together as a whole shortly after a change, and in force on open
 * connections at once. An API server that is away, or an object that cannot be read, changes nothing that is enforced. Fails
 * closed: without a first complete state, or one that was kept in a file, the proxy waits and takes no connection.
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { Log } from '../../log/open-log.ts'
import type { MeshSettings, Workload } from '../../policy/snapshot.ts'
import { createBell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { Random } from '../../spiffe/random.ts'
import { assemblePolicies } from './assemble-policies.ts'
import { type KeptPolicies, keepPolicies, readKeptPolicies } from './kept-policies.ts'
import { createPoliciesInForce, isSameState, type PoliciesInForce } from './policies-in-force.ts'
import { copyPolicies, type PodName } from './policy-copies.ts'
import type { PolicySource } from './policy-source.ts'
import { waitForPolicies } from './wait-for-policies.ts'

export interface PolicyClusterOptions {
  readonly cluster: Cluster
  readonly mesh: MeshSettings
  /** The workload's own beside the root namespace; undefined: all, for a proxy of several workloads. */
  readonly namespace: string | undefined
  /** Undefined: the workload's labels are those of the configuration. */
  readonly podName: string | undefined
  /** Undefined: nothing is kept over a restart. */
  readonly stateFile: string | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Aborts the waiting for a first state. */
  readonly signal: AbortSignal
}

export interface PolicyCluster extends PolicySource, AsyncDisposable {
  /** Ends when the signal aborts or the source is disposed; rejects when it cannot go on. */
  follow(signal: AbortSignal): Promise<void>
}

/** What is applied together comes in several events; it is put together once. */
const SETTLE_MS = 20
/** Of the time that putting them together takes, this many times is left to connections, however often somebody writes. */
const REST = 4
/** Nothing is missed between two looks; this one is for what no event tells, such as a problem that is over. */
const LOOK_MS = 60_000

/** @throws IdentityError CANCELED when the signal aborts first, CONFIG_INVALID for a state file that is damaged */
export async function openPolicyCluster(options: PolicyClusterOptions): Promise<PolicyCluster> {
  const { cluster, clock, log } = options
  const scope = scopeOf(options)
  const kept = await readKept(options, scope)
  const bell = createBell()
  const copies = copyPolicies({ ...options, ...scope, changed: () => bell.ring() })
  const policies = createPoliciesInForce({ ...options, server: cluster.server })
  const first = Promise.withResolvers<void>()
  let isKept = false

  const rebuild = async () => {
    const seen = copies.now()
    if (seen === undefined) return
    const before = policies.state()
    const { inForce, ...wrong } = assemblePolicies(seen.objects, (before ?? kept)?.inForce)
    const next = { inForce, labels: seen.labels }
    policies.note(wrong)
    isKept = false
    if (before !== undefined && isSameState(before, next)) return
    policies.enforce(next)
    first.resolve()
    await keep(options, scope, next)
  }
  const useKept = () => {
    if (kept === undefined || policies.state() !== undefined) return
    isKept = true
    policies.enforce(kept)
    first.resolve()
    log.warn(
      { state_file: options.stateFile, reason: copies.problem() },
      'The API server does not answer: policies are those that were kept',
    )
  }
  const stop = new AbortController()
  const running = Promise.all([
    copies.follow(stop.signal),
    rebuildWhenChanged(bell, rebuild, clock, stop.signal),
  ])
  running.catch(first.reject)
  try {
    await waitForPolicies({ ...options, first: first.promise, problem: copies.problem, useKept })
  } catch (error) {
    stop.abort()
    await running.catch(() => {}) // what it failed with is thrown here already
    throw error
  }
  const problem = () =>
    problemOf(copies.problem(), policies.mistakes(), isKept ? options.stateFile : undefined)
  return sourceOf(cluster, policies, { problem, stop, running })
}

interface Running {
  problem(): string | undefined
  readonly stop: AbortController
  readonly running: Promise<unknown>
}

function sourceOf(
  { server }: Cluster,
  policies: PoliciesInForce,
  { problem, stop, running }: Running,
): PolicyCluster {
  return {
    current: policies.snapshot,
    status: () => ({
      source: `Kubernetes API ${server}`,
      ...policies.status(),
      problem: problem(),
    }),
    workloadNow(workload: Workload) {
      const labels = policies.state()?.labels
      return labels === undefined ? workload : { ...workload, labels }
    },
    onChange: policies.onChange,
    async follow(signal) {
      using _stopping = onceAborted(signal, () => stop.abort())
      await running
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}

function scopeOf({ mesh, namespace, podName }: PolicyClusterOptions): {
  readonly namespaces: readonly string[] | undefined
  readonly pod: PodName | undefined
} {
  if (namespace === undefined) return { namespaces: undefined, pod: undefined }
  return {
    namespaces: [...new Set([mesh.rootNamespace, namespace])],
    pod: podName === undefined ? undefined : { namespace, name: podName },
  }
}

async function readKept(
  { stateFile }: PolicyClusterOptions,
  scope: ReturnType<typeof scopeOf>,
): Promise<KeptPolicies | undefined> {
  return stateFile === undefined
    ? undefined
    : await readKeptPolicies(stateFile, JSON.stringify(scope))
}

async function keep(
  { stateFile, log }: PolicyClusterOptions,
  scope: ReturnType<typeof scopeOf>,
  kept: KeptPolicies,
): Promise<void> {
  if (stateFile === undefined) return
  try {
    await keepPolicies(stateFile, JSON.stringify(scope), kept)
  } catch (err) {
    log.warn({ err, state_file: stateFile }, 'Policies cannot be kept for a start without them')
  }
}

async function rebuildWhenChanged(
  bell: ReturnType<typeof createBell>,
  rebuild: () => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    bell.reset()
    const beganMs = clock.now().getTime()
    await rebuild()
    const tookMs = clock.now().getTime() - beganMs
    await clock.sleep(LOOK_MS, AbortSignal.any([signal, bell.signal()]))
    await clock.sleep(Math.max(SETTLE_MS, tookMs * REST), signal)
  }
}

function problemOf(
  away: string | undefined,
  mistakes: readonly string[],
  keptIn: string | undefined,
): string | undefined {
  const told = [
    ...(keptIn === undefined ? [] : [`policies are those that were kept in ${keptIn}`]),
    ...(away === undefined ? [] : [away]),
    ...mistakes,
  ]
  return told.length === 0 ? undefined : told.join('\n')
}

function onceAborted(signal: AbortSignal, listener: () => void): Disposable {
  if (signal.aborted) listener()
  signal.addEventListener('abort', listener, { once: true })
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', listener) }
}
