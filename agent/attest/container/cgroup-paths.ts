/**
 * The control groups of a process, from the text of `/proc/<pid>/cgroup`, and those that its mounts show, from that of
 * `/proc/<pid>/mountinfo`. Pure. The kernel alone says what the first holds; the second is what the owner of the
 * process's mount namespace has arranged.
 *
 * @see cgroups(7), proc(5)
 */
import { IdentityError } from '../../../spiffe/error.ts'

/** Paths as seen from the control group namespace of whoever read the file; `(deleted)` is left on. */
export type CgroupPaths = readonly string[]

/** Lines are `hierarchy:controllers:path`, and the path may have colons of its own. @throws IdentityError ATTESTATION_FAILED */
export function parseCgroups(text: string): CgroupPaths {
  return linesOf(text).map((line) => {
    const [, , ...path] = line.split(':')
    if (path.length === 0) throw malformed('cgroup', 'three fields parted by colons', line)
    return path.join(':')
  })
}

/** Position of the root of a mount within its file system. */
const ROOT = 3
/** Before the dash stand six fields and any number of optional ones. */
const LEAST_BEFORE_DASH = 6

/**
 * Roots of the mounts of control groups; a mount of all of them says nothing of the process and is left out. Fields are
 * parted by one space each, for the source of a mount may be empty. @throws IdentityError ATTESTATION_FAILED
 */
export function parseCgroupMounts(text: string): CgroupPaths {
  return linesOf(text).flatMap((line) => {
    const fields = line.split(' ')
    const dash = fields.indexOf('-')
    const [root, type] = [fields[ROOT], fields[dash + 1]]
    if (dash < LEAST_BEFORE_DASH || root === undefined || type === undefined || type === '') {
      throw malformed('mountinfo', 'six fields, a dash and a file system', line)
    }
    return (type === 'cgroup' || type === 'cgroup2') && root !== '/' ? [root] : []
  })
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}

/** Longer lines are cut in messages. */
const MAX_SHOWN_CHARS = 200

function malformed(file: string, wanted: string, line: string): IdentityError {
  const shown = JSON.stringify(line.slice(0, MAX_SHOWN_CHARS))
  return new IdentityError(
    'ATTESTATION_FAILED',
    `a line of the process's ${file} is ${shown}, expected ${wanted}`,
  )
}
