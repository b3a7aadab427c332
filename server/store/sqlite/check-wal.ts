/**
 * Looks at a write-ahead log before SQLite does. SQLite takes whatever follows a frame that is not as it was written for the
 * remains of a crash, and drops it without a word; but each commit is on disk before the next begins, so a crash leaves one
 * unfinished commit at most. Where two or more follow, the file is damaged, and dropping them would lose writes that were
 * acknowledged: entries, and the journal that says which authorities sign. It fails closed: such a file is refused and left
 * as it is. The last commit alone cannot be told from one that was never finished.
 *
 * @see https://www.sqlite.org/fileformat2.html#walformat
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { IdentityError } from '../../../spiffe/error.ts'

/** Reads so many bytes from this offset; both lie within the file. */
export type ReadAt = (offset: number, length: number) => Buffer

export type WalVerdict =
  | { readonly kind: 'good' }
  | { readonly kind: 'no-header' }
  /** `frame` counts from 1; `commits` are those in it and after it. */
  | { readonly kind: 'damaged'; readonly frame: number; readonly commits: number }

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
/** Its lowest bit says that checksums are made of big-endian words. */
const MAGIC = 0x377f0682
const MIN_PAGE_BYTES = 512
const MAX_PAGE_BYTES = 65_536
/** What a crash can leave unfinished. */
const MAX_UNFINISHED_COMMITS = 1

interface Sums {
  readonly one: number
  readonly two: number
}

function sumOf(bytes: Buffer, { one, two }: Sums, isBigEndian: boolean): Sums {
  let [first, second] = [one, two]
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    const left = isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)
    const right = isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)
    first = (first + left + second) >>> 0
    second = (second + right + first) >>> 0
  }
  return { one: first, two: second }
}

const isSum = (bytes: Buffer, at: number, { one, two }: Sums) =>
  bytes.readUInt32BE(at) === one && bytes.readUInt32BE(at + 4) === two

/** @param size of the file, bytes */
export function judgeWal(size: number, read: ReadAt): WalVerdict {
  // SQLite writes the header by itself first: as long as there is no frame, nothing can be lost.
  if (size < HEADER_BYTES + FRAME_HEADER_BYTES + MIN_PAGE_BYTES) return { kind: 'good' }
  const header = read(0, HEADER_BYTES)
  const magic = header.readUInt32BE(0)
  const isBigEndian = (magic & 1) === 1
  const pageBytes = header.readUInt32BE(8)
  let sums = sumOf(header.subarray(0, 24), { one: 0, two: 0 }, isBigEndian)
  const isHeader =
    (magic & ~1) >>> 0 === MAGIC &&
    pageBytes >= MIN_PAGE_BYTES &&
    pageBytes <= MAX_PAGE_BYTES &&
    isSum(header, 24, sums)
  if (!isHeader) return { kind: 'no-header' }
  const frameBytes = FRAME_HEADER_BYTES + pageBytes
  const frames = Math.floor((size - HEADER_BYTES) / frameBytes)
  let bad: number | undefined
  let commits = 0
  for (let at = 0; at < frames; at += 1) {
    const offset = HEADER_BYTES + at * frameBytes
    const head = read(offset, FRAME_HEADER_BYTES)
    // Those of another salt are older than the header: all that they say is in the database.
    const isCurrent = head.subarray(8, 16).equals(header.subarray(16, 24))
    if (bad === undefined) {
      sums = sumOf(head.subarray(0, 8), sums, isBigEndian)
      sums = sumOf(read(offset + FRAME_HEADER_BYTES, pageBytes), sums, isBigEndian)
      if (!isCurrent || !isSum(head, 16, sums)) bad = at + 1
    }
    if (bad !== undefined && isCurrent && head.readUInt32BE(4) !== 0) commits += 1
  }
  if (bad === undefined || commits <= MAX_UNFINISHED_COMMITS) return { kind: 'good' }
  return { kind: 'damaged', frame: bad, commits }
}

/** @param path of the database. @throws IdentityError UNAVAILABLE when its write-ahead log is damaged */
export function checkWal(path: string): void {
  const wal = `${path}-wal`
  if (!existsSync(wal)) return
  const file = openSync(wal, 'r')
  try {
    const verdict = judgeWal(fstatSync(file).size, (offset, length) => {
      const bytes = Buffer.alloc(length)
      readSync(file, bytes, 0, length, offset)
      return bytes
    })
    if (verdict.kind === 'good') return
    const seen =
      verdict.kind === 'no-header'
        ? 'its first bytes are not those of a write-ahead log'
        : `frame ${verdict.frame} is not as it was written, and ${verdict.commits} commits would be lost with it`
    throw new IdentityError(
      'UNAVAILABLE',
      `the write-ahead log ${wal} of the database is damaged: ${seen}; restore it and ${path} from one backup, or move the log away to go on without every write that is only in it`,
    )
  } finally {
    closeSync(file)
  }
}
