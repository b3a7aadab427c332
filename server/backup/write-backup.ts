/**
 * What one server can back up: the store of the trust domain as of one moment, and its own CA keys. Keys of other servers
 * that share the store are in their own data directories and not in it; neither are join tokens, the change log, the signing
 * ledger (it would lack what is signed from now on) and files beside the data directory.
 */
import { createHash } from 'node:crypto'
import { readKeysFile } from '../../disk/keys-file.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { decodeJournal } from '../ca/journal-document.ts'
import {
  DUMPED_TABLE_NAMES,
  type DumpedTable,
  type Snapshot,
  type StoreDump,
} from '../store/dump.ts'
import { authoritiesWithoutKey } from './authority-keys.ts'
import { type BackupKeys, type BackupRecord, formatRecord } from './backup-record.ts'
import { journalOf } from './journal-row.ts'

export interface BackupDeps {
  readonly dump: StoreDump
  readonly trustDomain: string
  /** Names this server among those that share the store. */
  readonly serverKey: string
  /** Undefined: the server keeps its keys in memory, and nobody can have them. */
  readonly keysPath: string | undefined
  readonly clock: Pick<Clock, 'now'>
}

/** Between the snapshot and the reading of the keys a rotation may come; it does not come again and again. */
const MAX_ATTEMPTS = 3
/** Lines are handed on together when they are this long. */
const PIECE_BYTES = 64 * 1024
const ADVICE = 'restore it before anything else'

/** @throws IdentityError UNAVAILABLE when the store cannot answer, or the keys are not those of the authorities */
export async function* writeBackup(deps: BackupDeps): AsyncGenerator<Uint8Array, void, undefined> {
  const { snapshot, keys } = await openConsistent(deps)
  await using opened = snapshot
  const digest = createHash('sha256')
  const counts = Object.fromEntries(DUMPED_TABLE_NAMES.map((name) => [name, 0]))
  let piece = ''
  for await (const record of recordsOf(deps, opened, keys)) {
    if (record.kind === 'row') counts[record.row.table] = (counts[record.row.table] ?? 0) + 1
    piece += formatRecord(record)
    if (piece.length < PIECE_BYTES) continue
    digest.update(piece)
    yield Buffer.from(piece)
    piece = ''
  }
  digest.update(piece)
  const sha256 = digest.digest('hex')
  // Cast: every table is among them.
  const end = { counts: counts as Record<DumpedTable, number>, sha256 }
  yield Buffer.from(piece + formatRecord({ kind: 'end', end }))
}

async function* recordsOf(
  { trustDomain, serverKey, clock }: BackupDeps,
  snapshot: Snapshot,
  keys: BackupKeys | undefined,
): AsyncGenerator<BackupRecord, void, undefined> {
  yield {
    kind: 'manifest',
    manifest: {
      ...{ trustDomain, serverKey, createdAt: clock.now() },
      ...{ latestSequence: snapshot.latestSequence, keys: keys === undefined ? 'none' : 'disk' },
    },
  }
  for await (const batch of snapshot.rows(DUMPED_TABLE_NAMES)) {
    for (const row of batch) {
      const isLeftOut = row.table === 'ca_journals' && journalOf(row) === undefined
      if (!isLeftOut) yield { kind: 'row', row }
    }
  }
  if (keys !== undefined) yield { kind: 'keys', keys }
}

async function openConsistent(deps: BackupDeps) {
  let missing: readonly string[] = []
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const snapshot = await deps.dump.snapshot()
    try {
      if (deps.keysPath === undefined) return { snapshot, keys: undefined }
      const { keys } = await readKeysFile(deps.keysPath, ADVICE)
      missing = await missingKeys(snapshot, deps.serverKey, keys)
      if (missing.length === 0) return { snapshot, keys }
    } catch (error) {
      await snapshot[Symbol.asyncDispose]()
      throw error
    }
    await snapshot[Symbol.asyncDispose]()
  }
  const why = `${deps.keysPath} holds no key of ${missing.join(', ')}, which the journal says to be authorities of this server`
  throw new IdentityError('UNAVAILABLE', `${why}; a backup without them could not be gone on from`)
}

async function missingKeys(snapshot: Snapshot, serverKey: string, keys: BackupKeys) {
  for await (const batch of snapshot.rows(['ca_journals'])) {
    for (const row of batch) {
      const journal = journalOf(row)
      if (journal?.serverKey === serverKey) {
        return authoritiesWithoutKey(decodeJournal(journal.document), keys)
      }
    }
  }
  return [] // there are no authorities yet
}
