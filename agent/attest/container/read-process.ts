/**
 * The files of a process that tell its container. `/proc/<pid>/cgroup` is the kernel's word. The mounts are the word of
 * whoever made the process's mount namespace, and any user may make one in a user namespace of his own; so they are
 * asked only where the control groups are silent, and believed only of a process in our own user namespace.
 *
 * @see SPIRE behaviour §4 — PID to pod; user_namespaces(7)
 */
import { readFileSync } from 'node:fs'
import { open, readlink } from 'node:fs/promises'
import type { Log } from '../../../log/open-log.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { readBounded } from '../../../spiffe/read-bounded.ts'
import { type CgroupPaths, parseCgroupMounts, parseCgroups } from './cgroup-paths.ts'

export interface ProcessFiles {
  /** `/proc`, unless a test has its own. */
  readonly proc: string
  /** Told every path that is looked at. */
  readonly verboseLog: Log | undefined
}

/** More is refused: a process may have as many mounts as it likes. */
const MAX_MOUNTINFO_BYTES = 4 * 1024 * 1024

/**
 * Reads at once: the kernel makes up this file in memory, one line for each hierarchy.
 * @throws IdentityError ATTESTATION_FAILED when the process has ended, or its control groups are not readable
 */
export function readCgroupPaths(pid: number, files: ProcessFiles): CgroupPaths {
  const path = `${files.proc}/${pid}/cgroup`
  const paths = parseCgroups(readOrRefuse(path, () => readFileSync(path, 'utf8')))
  files.verboseLog?.debug({ pid, paths }, 'Control groups of the process')
  return paths
}

/**
 * Asks the control groups and, where they name no container, the mounts.
 * @param locate undefined where the paths name none
 * @throws IdentityError ATTESTATION_FAILED as `readCgroupPaths` and `locate`, and when a container is named by mounts
 *   that the process may have made itself
 */
export async function locateByProcess<T>(
  pid: number,
  files: ProcessFiles,
  locate: (paths: CgroupPaths) => T | undefined,
): Promise<T | undefined> {
  const place = locate(readCgroupPaths(pid, files))
  if (place !== undefined) return place
  const mounts = parseCgroupMounts(await readMounts(`${files.proc}/${pid}/mountinfo`))
  files.verboseLog?.debug({ pid, mounts }, 'Mounts of control groups of the process')
  const shown = locate(mounts)
  if (shown !== undefined) await refuseForeignNamespace(pid, files)
  return shown
}

/** Fails closed: a namespace that cannot be read is taken for a foreign one. */
async function refuseForeignNamespace(pid: number, { proc }: ProcessFiles): Promise<void> {
  const namespaceOf = (process: number | 'self') => readlink(`${proc}/${process}/ns/user`)
  const [own, its] = await Promise.all([
    namespaceOf('self').catch(reasonOf),
    namespaceOf(pid).catch((error: unknown) => reasonOf(error)),
  ])
  if (own === its) return
  throw new IdentityError(
    'ATTESTATION_FAILED',
    `the control groups of process ${pid} name no container, and its mounts, which do, are not believed: it is in another user namespace (${its}), where it may mount what it likes`,
  )
}

function readOrRefuse(path: string, read: () => string): string {
  try {
    return read()
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

async function readMounts(path: string): Promise<string> {
  try {
    await using file = await open(path)
    const stream = file.createReadStream({ autoClose: false })
    const mounts = await readBounded(stream, MAX_MOUNTINFO_BYTES)
    if (mounts !== undefined) return mounts.toString('utf8')
    throw new Error(`it has more than ${MAX_MOUNTINFO_BYTES} bytes`)
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): IdentityError {
  return new IdentityError('ATTESTATION_FAILED', `cannot read ${path}: ${reasonOf(cause)}`, {
    cause,
  })
}
