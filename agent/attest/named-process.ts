/** A process that did not call but is named by its number: told from every later one of that number by when it began. */
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import { type ProcessStatus, readProcessStatus } from './process-status.ts'

/** @returns undefined when there is none here, or it cannot be looked at */
export function namedProcess(pid: number): UnixCaller | undefined {
  const begun = statusOf(pid)
  if (begun === undefined) return undefined
  const { uid, gid, startTicks } = begun
  const isAlive = () => statusOf(pid)?.startTicks === startTicks
  return { kind: 'unix', pid, uid, gid, isAlive }
}

function statusOf(pid: number): ProcessStatus | undefined {
  try {
    return readProcessStatus(pid)
  } catch {
    return undefined // fails closed: what cannot be read is not there
  }
}
