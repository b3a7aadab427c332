/** Whether `/proc` numbers processes as the kernel does when it tells this process who calls. */
import { readlinkSync } from 'node:fs'
import { IdentityError } from '../../spiffe/error.ts'

/**
 * Fails closed: under another PID namespace's `/proc` the number of a caller is that of a stranger there.
 * @param readSelf where `/proc/self` leads to
 * @throws IdentityError CONFIG_INVALID
 */
export function requireOwnProc(readSelf = () => readlinkSync('/proc/self')): void {
  const seen = selfOf(readSelf)
  if (seen === String(process.pid)) return
  throw new IdentityError(
    'CONFIG_INVALID',
    `/proc says ${seen === undefined ? 'nothing of this process' : `that this process has number ${seen}`}, and it has ${process.pid}: /proc is of another PID namespace; mount that of the agent's own, or run the agent in the one that /proc is of`,
  )
}

function selfOf(readSelf: () => string): string | undefined {
  try {
    return readSelf()
  } catch {
    return undefined
  }
}
