/**
 * Who is at the other end of a Unix socket, told by the kernel at connect time, and held by a pidfd so that
 * a later process with the same number is not mistaken for it.
 */
import { closeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import koffi from 'koffi'
import { IdentityError } from '../spiffe/error.ts'

/** A process that connected over a Unix socket. */
export interface UnixCaller {
  readonly kind: 'unix'
  readonly pid: number
  readonly uid: number
  readonly gid: number
  /** Whether the very process that connected still runs. False on any doubt. */
  isAlive(): boolean
}

const SOL_SOCKET = 1
const SO_PEERCRED = 17
const SO_PEERPIDFD = 77 // Linux 6.5
const POLLIN = 1

const libc = koffi.load('libc.so.6')
const getsockopt = libc.func(
  'int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *length)',
)
const pidfdOpen = libc.func('long syscall(long number, int pid, uint32_t flags)')
const poll = libc.func('int poll(_Inout_ uint8_t *fds, ulong count, int timeout)')

const SYS_PIDFD_OPEN = 434 // the same on every architecture

/**
 * Reads the credentials of a just accepted socket. Must run in the same turn as the accept.
 * @throws IdentityError CALLER_UNIDENTIFIED when the kernel cannot tell, or when the caller is in another
 *   PID namespace (pid 0): no identity is given to somebody we cannot name
 */
export function peerCredentialsOf(socket: Socket): UnixCaller & Disposable {
  const fd = descriptorOf(socket)
  const credentials = Buffer.alloc(12)
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, [credentials.length]) !== 0) {
    throw new IdentityError('CALLER_UNIDENTIFIED', 'the kernel gave no peer credentials')
  }
  const pid = credentials.readInt32LE(0)
  if (pid <= 0) {
    throw new IdentityError(
      'CALLER_UNIDENTIFIED',
      'the caller is in another PID namespace; run this process with the host PID namespace',
    )
  }
  let pidfd: number | undefined = openPidfd(pid, () => {
    const value = Buffer.alloc(4)
    const isTold = getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, value, [value.length]) === 0
    return isTold ? { pidfd: value.readInt32LE(0) } : { errno: koffi.errno() }
  })
  return {
    kind: 'unix',
    pid,
    uid: credentials.readUInt32LE(4),
    gid: credentials.readUInt32LE(8),
    isAlive: () => pidfd !== undefined && isRunning(pidfd),
    [Symbol.dispose]() {
      if (pidfd !== undefined) closeSync(pidfd)
      pidfd = undefined
    },
  }
}

/** Node has no public way to a socket's descriptor; this is the one private access. */
function descriptorOf(socket: Socket): number {
  // Cast: `_handle` is not in Node's types.
  const fd = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd
  if (fd === undefined || fd < 0) {
    throw new IdentityError('CALLER_UNIDENTIFIED', 'the connection closed before it was identified')
  }
  return fd
}

/**
 * Holds the process that connected. Fails closed: a kernel that knows SO_PEERPIDFD and gives none says that the process
 * has ended, and its number may be somebody else's by now.
 * @param ask what SO_PEERPIDFD gives @throws IdentityError CALLER_UNIDENTIFIED
 */
export function openPidfd(
  pid: number,
  ask: () => { readonly pidfd: number } | { readonly errno: number },
): number {
  const told = ask()
  if ('pidfd' in told) return told.pidfd
  if (told.errno === constants.errno.ENOPROTOOPT) {
    // Kernels before 6.5: the process might have been replaced since it connected, until the connection was accepted.
    const opened = Number(pidfdOpen(SYS_PIDFD_OPEN, pid, 0))
    if (opened >= 0) return opened
  }
  throw new IdentityError('CALLER_UNIDENTIFIED', `process ${pid} ended before it was identified`)
}

/** Each may be interrupted by a signal, e.g. a profiler's. */
const MAX_POLLS = 10

/** One `struct pollfd` for all: it is asked and answered in one call, and its answer is not read from here. */
const POLLED = Buffer.alloc(8)

/** A pidfd becomes readable when its process has ended. */
function isRunning(pidfd: number): boolean {
  POLLED.writeInt32LE(pidfd, 0)
  POLLED.writeInt16LE(POLLIN, 4)
  for (let polls = 0; polls < MAX_POLLS; polls++) {
    const ready = poll(POLLED, 1, 0)
    if (ready >= 0) return ready === 0
  }
  return false
}
