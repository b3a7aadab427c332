/**
 * The records of an opened backup, one after the other, in memory that does not grow with it. Whoever has read to the end
 * knows that the whole was as it was written: every row counted, every line in its place, nothing after the last one.
 */
import { createHash } from 'node:crypto'
import { IdentityError } from '../../spiffe/error.ts'
import { DUMPED_TABLE_NAMES, type DumpedTable, type RowCounts } from '../store/dump.ts'
import { type BackupRecord, MAX_LINE_BYTES, parseRecord, unexpected } from './backup-record.ts'

const LINE_FEED = 0x0a

/** @throws IdentityError REQUEST_INVALID at the first line that is not in its place */
export async function* readRecords(
  plain: AsyncIterable<Uint8Array>,
): AsyncGenerator<BackupRecord, void, undefined> {
  const digest = createHash('sha256')
  const order = createOrder()
  let number = 0
  for await (const line of linesOf(plain)) {
    number += 1
    const record = parseRecord(line.toString(), number)
    if (!order.takes(record)) throw unexpected(number)
    if (record.kind === 'end') mustBeAll(record.end, order.counts, digest.digest('hex'))
    else digest.update(line)
    yield record
  }
  if (!order.isAtEnd()) {
    throw new IdentityError(
      'REQUEST_INVALID',
      'the backup ends before its last line: use another copy',
    )
  }
}

/** First the manifest, then rows table by table, then keys exactly when the manifest says so, then the end. */
function createOrder() {
  const counts = Object.fromEntries(DUMPED_TABLE_NAMES.map((name) => [name, 0]))
  let place: 'begin' | 'rows' | 'keys' | 'end' = 'begin'
  let table = 0
  let wantsKeys = false
  return {
    // Cast: every table is among them.
    counts: counts as Record<DumpedTable, number>,
    isAtEnd: () => place === 'end',
    takes(record: BackupRecord): boolean {
      switch (record.kind) {
        case 'manifest':
          if (place !== 'begin') return false
          place = 'rows'
          wantsKeys = record.manifest.keys === 'disk'
          return true
        case 'row': {
          const index = DUMPED_TABLE_NAMES.indexOf(record.row.table)
          if (place !== 'rows' || index < table) return false
          table = index
          counts[record.row.table] = (counts[record.row.table] ?? 0) + 1
          return true
        }
        case 'keys':
          if (place !== 'rows' || !wantsKeys) return false
          place = 'keys'
          return true
        case 'end':
          if (place !== (wantsKeys ? 'keys' : 'rows')) return false
          place = 'end'
          return true
        default:
          return record satisfies never
      }
    },
  }
}

function mustBeAll(
  end: { readonly counts: RowCounts; readonly sha256: string },
  counts: RowCounts,
  sha256: string,
): void {
  const wrong = DUMPED_TABLE_NAMES.find((name) => end.counts[name] !== counts[name])
  if (wrong !== undefined) {
    const why = `the backup has ${counts[wrong]} rows of ${wrong}, expected ${end.counts[wrong]}`
    throw new IdentityError('REQUEST_INVALID', `${why}: use another copy`)
  }
  if (end.sha256 !== sha256) {
    const why = 'the content of the backup has another digest than its last line says'
    throw new IdentityError('REQUEST_INVALID', `${why}: use another copy`)
  }
}

/** Each with its line feed: one that has none was cut off. */
async function* linesOf(plain: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer[] = []
  let length = 0
  for await (const piece of plain) {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    let start = 0
    for (;;) {
      const end = bytes.indexOf(LINE_FEED, start)
      if (end === -1) break
      yield Buffer.concat([...rest, bytes.subarray(start, end + 1)])
      rest = []
      length = 0
      start = end + 1
    }
    if (start < bytes.length) rest.push(bytes.subarray(start))
    length += bytes.length - start
    if (length > MAX_LINE_BYTES) {
      throw new IdentityError(
        'REQUEST_INVALID',
        `a line of the backup is longer than ${MAX_LINE_BYTES} bytes`,
      )
    }
  }
  if (length > 0)
    throw new IdentityError('REQUEST_INVALID', 'the last line of the backup has no end')
}
