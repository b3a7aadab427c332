/**
 * The Lease object: reading who holds it, and writing that we do. Each write names the version it was read at, so that of
 * two who write at the same time one is refused.
 *
 * @see https://kubernetes.io/docs/concepts/architecture/leases
 */
import type { Clock } from '../spiffe/clock.ts'
import { type Deadline, deadlineIn } from '../spiffe/deadline.ts'
import { reasonOf } from '../spiffe/error.ts'
import type { LeaseDeps, LeaseSettings } from './lease.ts'
import { numberAt, recordAt, textAt } from './object.ts'
import { statusOf } from './status.ts'

/** One request about the Lease may take this much of the deadline. */
const REQUEST_SHARE = 0.5

/** What we know of the Lease, and for how long it has stood still. */
export type LeaseWatch = ReturnType<typeof createLeaseWatch>

export function createLeaseWatch({ identity }: LeaseSettings) {
  let version = ''
  let stillMs = 0
  let current: unknown
  return {
    /** @returns whether it may be taken now */
    seen(lease: unknown): boolean {
      current = lease
      const spec = recordAt(lease, 'spec')
      const seenVersion = textAt(recordAt(lease, 'metadata'), 'resourceVersion') ?? ''
      if (seenVersion !== version) stillMs = 0
      version = seenVersion
      const holder = textAt(spec, 'holderIdentity') ?? ''
      const durationMs = (numberAt(spec, 'leaseDurationSeconds') ?? 0) * 1_000
      return holder === '' || holder === identity || stillMs >= durationMs
    },
    slept(ms: number) {
      stillMs += ms
    },
    forget() {
      version = ''
      stillMs = 0
    },
    current: () => current,
    took(lease: unknown) {
      current = lease
    },
  }
}

function pathOf({ namespace }: LeaseSettings): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
}

/** Takes the Lease if it may be taken. @returns whether it is ours; a failure is told and is a no */
export async function takeLease(
  settings: LeaseSettings,
  deps: LeaseDeps,
  watch: LeaseWatch,
  signal: AbortSignal,
): Promise<boolean> {
  const { cluster, log } = deps
  const path = pathOf(settings)
  using within = bounded(settings, deps, signal)
  try {
    const found = await cluster
      .request({ method: 'GET', path: `${path}/${settings.name}`, signal: within.signal })
      .catch((error: unknown) => {
        if (statusOf(error) === 404) return undefined
        throw error
      })
    if (found === undefined) {
      const body = { ...identityOf(settings), spec: specOf(settings, deps, undefined) }
      const options = { method: 'POST', path, body, signal: within.signal } as const
      watch.took(await cluster.request(options))
      return true
    }
    if (!watch.seen(found)) return false
    await write(settings, deps, watch, within.signal)
    return true
  } catch (error) {
    if (signal.aborted) return false
    const isRace = statusOf(error) === 409
    if (!isRace) log.warn({ lease: settings.name, err: error }, 'The lease could not be asked for')
    return false
  }
}

export async function renewLease(
  settings: LeaseSettings,
  deps: LeaseDeps,
  watch: LeaseWatch,
  signal: AbortSignal,
): Promise<'renewed' | 'failed' | 'taken'> {
  using within = bounded(settings, deps, signal)
  try {
    await write(settings, deps, watch, within.signal)
    return 'renewed'
  } catch (error) {
    if (signal.aborted) return 'failed'
    const reason = reasonOf(error)
    deps.log.warn({ lease: settings.name, reason }, 'The lease could not be renewed; trying again')
    // Somebody wrote it meanwhile: only a look tells who.
    return statusOf(error) === 409 ? await lookAgain(settings, deps, watch, signal) : 'failed'
  }
}

async function lookAgain(
  settings: LeaseSettings,
  { cluster }: LeaseDeps,
  watch: LeaseWatch,
  signal: AbortSignal,
): Promise<'failed' | 'taken'> {
  try {
    const path = `${pathOf(settings)}/${settings.name}`
    const lease = await cluster.request({ method: 'GET', path, signal })
    watch.took(lease)
    const isOurs = textAt(recordAt(lease, 'spec'), 'holderIdentity') === settings.identity
    return isOurs ? 'failed' : 'taken'
  } catch {
    return 'failed'
  }
}

/** Writes us as the holder over what was read; refused with 409 when it was written meanwhile. */
async function write(
  settings: LeaseSettings,
  deps: LeaseDeps,
  watch: LeaseWatch,
  signal: AbortSignal,
): Promise<void> {
  const lease = watch.current()
  const body = {
    ...identityOf(settings),
    metadata: recordAt(lease, 'metadata'),
    spec: specOf(settings, deps, lease),
  }
  const path = `${pathOf(settings)}/${settings.name}`
  watch.took(await deps.cluster.request({ method: 'PUT', path, body, signal }))
}

/** So that the next one need not wait; when it fails, it waits. */
export async function releaseLease(
  settings: LeaseSettings,
  deps: LeaseDeps,
  watch: LeaseWatch,
): Promise<void> {
  using within = bounded(settings, deps, undefined)
  try {
    const lease = watch.current()
    const spec = { ...specOf(settings, deps, lease), holderIdentity: '', leaseDurationSeconds: 1 }
    const body = { ...identityOf(settings), metadata: recordAt(lease, 'metadata'), spec }
    const path = `${pathOf(settings)}/${settings.name}`
    await deps.cluster.request({ method: 'PUT', path, body, signal: within.signal })
  } catch (error) {
    deps.log.debug({ lease: settings.name, err: error }, 'The lease could not be given back')
  }
}

function identityOf({ namespace, name }: LeaseSettings) {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace, name },
  }
}

function specOf({ identity, durationMs }: LeaseSettings, { clock }: LeaseDeps, lease: unknown) {
  const before = recordAt(lease, 'spec')
  const now = microTime(clock.now())
  const isOurs = textAt(before, 'holderIdentity') === identity
  const transitions = numberAt(before, 'leaseTransitions') ?? 0
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(durationMs / 1_000),
    acquireTime: isOurs ? (textAt(before, 'acquireTime') ?? now) : now,
    renewTime: now,
    leaseTransitions: isOurs || lease === undefined ? transitions : transitions + 1,
  }
}

/** As the API server wants it, with six digits of the second. */
function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z')
}

/** A request that takes too long must not use up the deadline of those after it. */
function bounded(
  { renewDeadlineMs }: LeaseSettings,
  { clock }: { readonly clock: Clock },
  signal: AbortSignal | undefined,
): Deadline {
  return deadlineIn(renewDeadlineMs * REQUEST_SHARE, clock, signal)
}
