/**
 * What `/proc/<pid>/status` and `/proc/<pid>/stat` say about a process. A text that lacks one of the wanted lines
 * is refused: an identity is never guessed.
 *
 * @see proc(5)
 */
import { readFileSync } from 'node:fs'
import { IdentityError } from '../../spiffe/error.ts'

/** Effective IDs, as the kernel reports them at connect time too. */
export interface ProcessIds {
  readonly uid: number
  readonly gid: number
  readonly supplementaryGids: readonly number[]
}

export interface ProcessStatus extends ProcessIds {
  /** Clock ticks since boot; with the number it tells one process from every other. */
  readonly startTicks: bigint
}

const MAX_ID = 2 ** 32 - 1
/** Position in the `real effective saved filesystem` quadruple. */
const EFFECTIVE = 1
/** Field 22 of stat(5), counted from the state, which is field 3. */
const START_TIME_AFTER_STATE = 19

/**
 * Reads at once: the kernel makes up these files in memory, so a trip through the thread pool costs several times more.
 * @throws IdentityError ATTESTATION_FAILED when the process has ended or its files are not readable
 */
export function readProcessStatus(pid: number): ProcessStatus {
  return { ...readProcessIds(pid), startTicks: parseStartTicks(read(pid, 'stat')) }
}

/** The half of it that is enough for whoever holds the process by a pidfd. @throws IdentityError ATTESTATION_FAILED, as above */
export function readProcessIds(pid: number): ProcessIds {
  return parseProcessIds(read(pid, 'status'))
}

/** Reads the text of `/proc/<pid>/status`. @throws IdentityError ATTESTATION_FAILED */
export function parseProcessIds(status: string): ProcessIds {
  const uids = idsOf(status, 'Uid')
  const gids = idsOf(status, 'Gid')
  const uid = uids[EFFECTIVE]
  const gid = gids[EFFECTIVE]
  if (uids.length !== 4 || gids.length !== 4 || uid === undefined || gid === undefined) {
    throw unreadable('four user IDs and four group IDs')
  }
  return { uid, gid, supplementaryGids: idsOf(status, 'Groups') }
}

/**
 * Reads the text of `/proc/<pid>/stat`. The program's name may hold spaces and parentheses of its own, so the
 * fields are counted from the last closing one. @throws IdentityError ATTESTATION_FAILED
 */
export function parseStartTicks(stat: string): bigint {
  const close = stat.lastIndexOf(')')
  const field = stat.slice(close + 2).split(' ')[START_TIME_AFTER_STATE]
  if (close === -1 || field === undefined || !/^\d{1,20}$/.test(field)) {
    throw unreadable('a start time')
  }
  return BigInt(field)
}

function read(pid: number, name: 'status' | 'stat'): string {
  try {
    // Bytes of a name that are no UTF-8 become other ones, and no byte of the fields does; Node reads this encoding in one call.
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch (cause) {
    throw new IdentityError(
      'ATTESTATION_FAILED',
      `cannot read /proc/${pid}/${name}: the process has ended, or the agent may not look at it`,
      { cause },
    )
  }
}

function idsOf(status: string, name: string): readonly number[] {
  // The program's name comes first, with its newlines escaped, so no program can forge a line.
  const head = `${name}:\t`
  const isFirst = status.startsWith(head)
  const before = isFirst ? 0 : status.indexOf(`\n${head}`)
  if (before === -1) throw unreadable(`a line ${name}`)
  const start = before + (isFirst ? 0 : 1) + head.length
  const end = status.indexOf('\n', start)
  const words = status.slice(start, end === -1 ? undefined : end).split(/[\t ]+/)
  return words.filter((word) => word !== '').map(parseId)
}

function parseId(word: string): number {
  const id = /^\d{1,10}$/.test(word) ? Number(word) : Number.NaN
  if (!(id <= MAX_ID)) throw unreadable('numeric user and group IDs')
  return id
}

function unreadable(wanted: string): IdentityError {
  return new IdentityError('ATTESTATION_FAILED', `the process information lacks ${wanted}`)
}
