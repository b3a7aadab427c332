/**
 * Says what a calling process is: the selectors of all attestors, provided that the process which connected is
 * still the one that was looked at. Fails closed: on any doubt about that the caller is refused.
 *
 * @see SPIRE behaviour §4 — attestation of callers, and what a failed attestor means
 */
import type { Log } from '../../log/open-log.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { Selector } from '../../spiffe/selector.ts'
import { type ProcessIds, readProcessIds } from './process-status.ts'
import type { SeenCaller, WorkloadAttestor } from './workload-attestor.ts'

/**
 * @throws IdentityError ATTESTATION_FAILED when no attestor succeeded: callers take it as "try again", never as
 *   "no identity"; CALLER_UNIDENTIFIED when the connection is no longer that of the process that opened it
 */
export type Attest = (caller: UnixCaller, signal: AbortSignal) => Promise<ReadonlySet<Selector>>

export interface AttestDeps {
  readonly attestors: readonly WorkloadAttestor[]
  readonly log: Log
  /** Reads the process anew at each call. */
  readonly idsOf?: (pid: number) => ProcessIds
}

const REFUSAL = 'workload attestation failed'

export function attestWith(deps: AttestDeps): Attest {
  const read = deps.idsOf ?? readProcessIds
  const idsOf = (pid: number) => {
    try {
      return read(pid)
    } catch (error) {
      throw refusal(error)
    }
  }
  return async (caller, signal) => {
    const before = idsOf(caller.pid)
    const selectors = await selectorsOf(deps, { ...caller, ids: before }, signal)
    const after = idsOf(caller.pid)
    refuseIfReplaced(caller, before, after)
    deps.log.debug({ pid: caller.pid, selectors: [...selectors] }, 'Attested a workload')
    return selectors
  }
}

async function selectorsOf(
  { attestors, log }: AttestDeps,
  caller: SeenCaller,
  signal: AbortSignal,
): Promise<ReadonlySet<Selector>> {
  const found = await Promise.allSettled(
    attestors.map(async (attestor) => await attestor.attest(caller, signal)),
  )
  const selectors = new Set<Selector>()
  const failures: unknown[] = []
  for (const [index, result] of found.entries()) {
    if (result.status === 'fulfilled') {
      for (const one of result.value) selectors.add(one)
      continue
    }
    failures.push(result.reason)
    const fields = { pid: caller.pid, attestor: attestors[index]?.type, err: result.reason }
    log.warn(fields, 'A workload attestor failed; its selectors are missing')
  }
  if (failures.length === attestors.length) {
    throw refusal(new AggregateError(failures, failures.map(reasonOf).join('; ')))
  }
  return selectors
}

/**
 * The pidfd, asked when all has been read, says that the process which connected lives, so its number was nobody else's
 * meanwhile; the IDs say that it has not become a set-user-ID program, or dropped its rights, since then. Either doubt refuses.
 */
function refuseIfReplaced(caller: UnixCaller, before: ProcessIds, after: ProcessIds): void {
  if (!caller.isAlive()) throw replaced('the process that connected has ended')
  for (const { uid, gid } of [before, after]) {
    if (uid !== caller.uid || gid !== caller.gid) {
      throw replaced(
        `the process connected as uid ${caller.uid} gid ${caller.gid} and now runs as uid ${uid} gid ${gid}`,
      )
    }
  }
}

/** SPIRE's text to the caller; the cause is for the agent's log. */
function refusal(cause: unknown): IdentityError {
  return new IdentityError('ATTESTATION_FAILED', REFUSAL, { cause })
}

function replaced(why: string): IdentityError {
  return new IdentityError('CALLER_UNIDENTIFIED', `${REFUSAL}: ${why}; connect again`)
}
