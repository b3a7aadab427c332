/**
 * Looks at the workload that a broker names, by this agent's own attestors: what the broker says of it beyond the name does not
 * count. Fails closed: a workload that is gone, or is another one by now, is not found.
 *
 * @see Broker-API §4.8, §4.9 — references and the lifecycle of workloads
 */
import type { Log } from '../../log/open-log.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'
import { type Attest, attestWith } from '../attest/attest.ts'
import { namedProcess } from '../attest/named-process.ts'
import type { KubernetesObject, WorkloadReference } from '../attest/reference.ts'
import type { WorkloadAttestor } from '../attest/workload-attestor.ts'

export interface BrokeredWorkload {
  readonly selectors: ReadonlySet<Selector>
  /** Asked before anything is sent. @throws IdentityError WORKLOAD_NOT_FOUND */
  requireThere(): void
  /** How often `look` is worth its price. */
  readonly lookEveryMs: number
  /** Looks again. @throws IdentityError saying why what was sent so far is the last of it */
  look(signal: AbortSignal): Promise<void>
}

export interface ResolveDeps {
  readonly attestors: readonly WorkloadAttestor[]
  /** Wraps what attests a process, for its measures. */
  readonly measure?: (attest: Attest) => Attest
  readonly log: Log
}

export type ResolveReference = (
  reference: WorkloadReference,
  broker: SpiffeId,
  signal: AbortSignal,
) => Promise<BrokeredWorkload>

/** Two small files of the kernel's. */
const LOOK_AT_PROCESS_MS = 5_000
/** One or two requests to a kubelet or an API server. */
const LOOK_AT_OBJECT_MS = 30_000

/** @returns throws IdentityError WORKLOAD_NOT_FOUND, WORKLOAD_REFERENCE_INVALID, NOT_AUTHORIZED, ATTESTATION_FAILED */
export function resolveWith(deps: ResolveDeps): ResolveReference {
  return async (reference, broker, signal) => {
    switch (reference.kind) {
      case 'process':
        return await resolveProcess(reference.pid, deps, broker, signal)
      case 'kubernetes-object':
        return await resolveObject(reference.object, deps, broker, signal)
      default:
        return reference satisfies never
    }
  }
}

async function resolveProcess(
  pid: number,
  { attestors, measure = (attest) => attest, log }: ResolveDeps,
  broker: SpiffeId,
  signal: AbortSignal,
): Promise<BrokeredWorkload> {
  const process = namedProcess(pid)
  if (process === undefined) throw notFound(`there is no process ${pid} where the agent runs`)
  const forBroker = attestors.map((one): WorkloadAttestor => {
    const { type, forBrokers } = one
    if (forBrokers === undefined) return one
    return { type, attest: (caller, stop) => forBrokers.attestProcess(caller, broker, stop) }
  })
  const requireThere = () => {
    if (!process.isAlive()) throw notFound(`process ${pid} has ended`)
  }
  try {
    const attest = measure(attestWith({ attestors: forBroker, log }))
    const selectors = await attest(process, signal)
    const look = async () => requireThere()
    return { selectors, requireThere, lookEveryMs: LOOK_AT_PROCESS_MS, look }
  } catch (error) {
    requireThere() // it ended while it was looked at
    if (!(error instanceof IdentityError) || error.code !== 'CALLER_UNIDENTIFIED') throw error
    throw notFound(`process ${pid} is not what it was when it was asked for`, error)
  }
}

async function resolveObject(
  object: KubernetesObject,
  deps: ResolveDeps,
  broker: SpiffeId,
  signal: AbortSignal,
): Promise<BrokeredWorkload> {
  const attest = (stop: AbortSignal) => attestObject(object, deps, broker, stop)
  const selectors = await attest(signal)
  return {
    selectors,
    requireThere() {},
    lookEveryMs: LOOK_AT_OBJECT_MS,
    async look(stop) {
      let now: ReadonlySet<Selector>
      try {
        now = await attest(stop)
      } catch (error) {
        if (isVerdict(error)) throw error
        // Who does not answer has not said that it is gone: what was sent lives for an hour without us as well.
        deps.log.debug({ reason: reasonOf(error) }, 'A referenced object could not be looked at')
        return
      }
      if (now.size === selectors.size && now.isSubsetOf(selectors)) return
      const why = 'the selectors of the referenced object have changed, subscribe again'
      throw new IdentityError('UNAVAILABLE', why)
    },
  }
}

async function attestObject(
  object: KubernetesObject,
  { attestors, log }: ResolveDeps,
  broker: SpiffeId,
  signal: AbortSignal,
): Promise<ReadonlySet<Selector>> {
  const able = attestors.flatMap(({ forBrokers }) => forBrokers ?? [])
  if (able.length === 0) {
    const why = 'no workload attestor of the agent knows Kubernetes objects; configure k8s'
    throw new IdentityError('WORKLOAD_REFERENCE_INVALID', why)
  }
  const found = await Promise.all(able.map((one) => one.attestObject(object, broker, signal)))
  const selectors = new Set(found.flat())
  log.debug({ broker, selectors: [...selectors] }, 'Attested a referenced object')
  return selectors
}

function isVerdict(error: unknown): boolean {
  const verdicts = ['WORKLOAD_NOT_FOUND', 'WORKLOAD_REFERENCE_INVALID', 'NOT_AUTHORIZED']
  return error instanceof IdentityError && verdicts.includes(error.code)
}

function notFound(why: string, cause?: unknown): IdentityError {
  return new IdentityError('WORKLOAD_NOT_FOUND', why, { cause })
}
