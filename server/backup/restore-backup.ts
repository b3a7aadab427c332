/**
 * Puts a verified backup into a store, and its keys into the keys file. The keys come first: a process that is killed leaves
 * them beside an empty store, where a second restore finds the very same; what the store holds comes in one transaction.
 * Other keys that were there are kept in a copy, because the store may still refuse the rows.
 */
import { keepKeysFile } from '../../disk/keep-keys-file.ts'
import { readKeysFile, writeKeysFile } from '../../disk/keys-file.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { RENEWED_SINCE_BACKUP } from '../nodes/node.ts'
import {
  columnsOf,
  DUMPED_TABLE_NAMES,
  type DumpRow,
  ROWS_AT_ONCE,
  SEQUENCE_JUMP,
  type StoreDump,
} from '../store/dump.ts'
import { decodeBundle, encodeBundle } from '../store/sql/bundle-document.ts'
import type { BackupKeys } from './backup-record.ts'
import { journalOf } from './journal-row.ts'
import { readRecords } from './read-records.ts'
import type { VerifiedBackup } from './verify-backup.ts'

export interface RestoreTarget {
  readonly dump: StoreDump
  /** The key of the server that goes on with the authorities of the one that made the backup. */
  readonly serverKey: string
  /** False where one server alone has the store: nobody could go on from the journals of others. */
  readonly isShared: boolean
  /** Undefined: keys are kept in memory, and those of the backup cannot be gone on with. */
  readonly keysPath: string | undefined
}

/** More bundles than a trust domain writes between a backup and its use. */
export const BUNDLE_SEQUENCE_JUMP = 1_000_000

const ADVICE = 'remove it to restore the keys of the backup'

/**
 * What a restore would remove.
 * @returns lines for people; none when the place is empty
 */
export async function whatIsThere(
  { dump, keysPath }: RestoreTarget,
  keys: BackupKeys | undefined,
): Promise<readonly string[]> {
  const counts = await dump.count()
  const rows = DUMPED_TABLE_NAMES.filter((name) => counts[name] > 0).map(
    (name) => `${counts[name]} rows of ${name} in the store`,
  )
  if (keysPath === undefined || keys === undefined) return rows
  const present = (await readKeysFile(keysPath, ADVICE)).keys
  const isAnother = present.size > 0 && !areEqual(present, keys)
  return isAnother ? [...rows, `the ${present.size} keys in ${keysPath}`] : rows
}

/**
 * @param content of the same backup, once more from the beginning
 * @param replaces what `whatIsThere` says
 * @throws IdentityError; the store is then as it was
 */
export async function restoreBackup(
  target: RestoreTarget,
  { manifest, keys, sha256 }: VerifiedBackup,
  content: AsyncIterable<Uint8Array>,
  replaces: boolean,
): Promise<void> {
  if (!replaces) {
    const there = await whatIsThere(target, keys)
    if (there.length > 0) throw occupied(there)
  }
  if (target.keysPath !== undefined && keys !== undefined) {
    const present = (await readKeysFile(target.keysPath, ADVICE)).keys
    if (present.size > 0 && !areEqual(present, keys)) await keepKeysFile(target.keysPath)
    await writeKeysFile(target.keysPath, keys)
  }
  const rows = rowsOf(content, target, { ...manifest, sha256 })
  const options = { replaces, sequence: manifest.latestSequence + SEQUENCE_JUMP }
  try {
    await target.dump.load(rows, options)
  } catch (error) {
    if (error instanceof IdentityError) throw error
    // A row twice, or a text that this engine does not take: its words name columns and no values.
    const why = `the store does not take the rows of the backup: ${reasonOf(error)}`
    throw new IdentityError('REQUEST_INVALID', `${why}; nothing was changed in it`, {
      cause: error,
    })
  }
}

export function occupied(there: readonly string[]): IdentityError {
  const what = `the place to restore to is not empty: it has ${there.join(', and ')}`
  return new IdentityError('PRECONDITION_FAILED', `${what}; -force removes that`)
}

/** By whom, and what was verified. */
interface Made {
  readonly serverKey: string
  readonly trustDomain: string
  readonly sha256: string
}

async function* rowsOf(
  content: AsyncIterable<Uint8Array>,
  target: RestoreTarget,
  made: Made,
): AsyncGenerator<readonly DumpRow[], void, undefined> {
  let batch: DumpRow[] = []
  for await (const record of readRecords(content)) {
    // Fails closed: it is the last record, and nothing is committed before it.
    if (record.kind === 'end' && record.end.sha256 !== made.sha256) {
      const why = 'the backup changed between its verification and its restoration'
      throw new IdentityError('REQUEST_INVALID', `${why}; nothing of it is in the store`)
    }
    if (record.kind !== 'row') continue
    const row = placed(record.row, made, target)
    if (row !== undefined) batch.push(row)
    if (batch.length < ROWS_AT_ONCE) continue
    yield batch
    batch = []
  }
  yield batch
}

/** The journal of the server that made the backup becomes that of the one that is restored. */
function placed(
  row: DumpRow,
  made: Made,
  { serverKey, isShared }: RestoreTarget,
): DumpRow | undefined {
  if (row.table === 'nodes') return restoredNode(row)
  if (row.table === 'bundles') return restoredBundle(row, made.trustDomain)
  const journal = journalOf(row)
  if (journal === undefined) return row
  if (journal.serverKey === made.serverKey) {
    return { table: row.table, values: [serverKey, journal.document, journal.savedAt] }
  }
  return isShared && journal.serverKey !== serverKey ? row : undefined
}

/**
 * Who can attest again does so by itself when its SVID is newer than the backup. Who cannot would be locked out, so that the
 * SVID it was given since is taken once; a ban stays a ban.
 */
function restoredNode(row: DumpRow): DumpRow {
  const columns = columnsOf(row.table)
  const at = (column: string) => row.values[columns.indexOf(column)]
  if (at('can_reattest') !== 0 || at('serial_number') === '') return row
  const place = columns.indexOf('new_serial_number')
  return { table: row.table, values: row.values.with(place, RENEWED_SINCE_BACKUP) }
}

/** Who federates with us may have seen later numbers than the backup has, and takes no bundle with a lower one. */
function restoredBundle(row: DumpRow, trustDomain: string): DumpRow {
  const columns = columnsOf(row.table)
  const at = columns.indexOf('document')
  const [name, document] = [row.values[columns.indexOf('trust_domain')], row.values[at]]
  if (name !== trustDomain || typeof document !== 'string') return row
  const bundle = decodeBundle({ trust_domain: trustDomain, document })
  const sequenceNumber = bundle.sequenceNumber + BUNDLE_SEQUENCE_JUMP
  return {
    table: row.table,
    values: row.values.with(at, encodeBundle({ ...bundle, sequenceNumber })),
  }
}

function areEqual(one: BackupKeys, other: BackupKeys): boolean {
  return (
    one.size === other.size &&
    [...one].every(([id, key]) => Buffer.from(key).equals(other.get(id) ?? new Uint8Array()))
  )
}
