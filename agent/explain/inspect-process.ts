/**
 * What each workload attestor says of a process that did not call: for people who ask why it has no identity. No
 * identity is ever issued on this: who calls is told by the kernel, whom an administrator names is not.
 */
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { Selector } from '../../spiffe/selector.ts'
import { type ProcessStatus, readProcessStatus } from '../attest/process-status.ts'
import type { WorkloadAttestor } from '../attest/workload-attestor.ts'

export interface Finding {
  readonly attestor: string
  readonly selectors: readonly Selector[]
  /** Why it could say nothing; undefined when it did. */
  readonly error: string | undefined
}

/**
 * @throws IdentityError NOT_FOUND when there is no such process, PRECONDITION_FAILED when another one has taken its
 *   number meanwhile
 */
export async function inspectProcess(
  attestors: readonly WorkloadAttestor[],
  pid: number,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const before = statusOf(pid)
  const isAlive = () => isSame(pid, before)
  const caller: UnixCaller = { kind: 'unix', pid, uid: before.uid, gid: before.gid, isAlive }
  const findings = await Promise.all(
    attestors.map(async (attestor): Promise<Finding> => {
      try {
        const selectors = await attestor.attest(caller, signal, 'once')
        return { attestor: attestor.type, selectors, error: undefined }
      } catch (error) {
        return { attestor: attestor.type, selectors: [], error: reasonOf(error) }
      }
    }),
  )
  if (isAlive()) return findings
  const why = `process ${pid} ended while it was looked at; ask again for one that runs`
  throw new IdentityError('PRECONDITION_FAILED', why)
}

function statusOf(pid: number): ProcessStatus {
  try {
    return readProcessStatus(pid)
  } catch (cause) {
    const why = `there is no process ${pid} where the agent runs; give the number that the agent's PID namespace has for it`
    throw new IdentityError('NOT_FOUND', why, { cause })
  }
}

function isSame(pid: number, { startTicks }: ProcessStatus): boolean {
  try {
    return readProcessStatus(pid).startTicks === startTicks
  } catch {
    return false
  }
}
