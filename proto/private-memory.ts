/**
 * Keeps the memory of this process to itself: there is no core dump of it, and no other process of the same user may
 * attach to it or read its `/proc/<pid>/mem`. What has CAP_SYS_PTRACE, e.g. root, still may look.
 *
 * @see prctl(2) PR_SET_DUMPABLE, ptrace(2) on access mode checking, core(5)
 */
import koffi from 'koffi'
import { IdentityError } from '../spiffe/error.ts'

const PR_SET_DUMPABLE = 4
const NOT_DUMPABLE = 0

/**
 * Lasts until this process becomes another program. Its files in `/proc` belong to root from then on: an agent without
 * CAP_SYS_PTRACE cannot tell which program it is.
 * @throws IdentityError INTERNAL when the kernel refuses, which it never does: keys would be in core dumps
 */
export function keepMemoryPrivate(): void {
  const libc = koffi.load('libc.so.6')
  const prctl = libc.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)')
  if (prctl(PR_SET_DUMPABLE, NOT_DUMPABLE, 0, 0, 0) === 0) return
  throw new IdentityError('INTERNAL', 'the kernel does not keep the memory of this process private')
}
