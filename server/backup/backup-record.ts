/**
 * The content of a backup before it is sealed: lines of JSON, first what it is, then rows, then keys, and at the end how many
 * rows there were and the digest of all lines before. Whoever reads it takes nothing for granted: each line is checked.
 */
import { z } from 'zod'
import { fromUnixSeconds, unixSeconds } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import {
  type ColumnKind,
  columnsOf,
  DUMPED_TABLE_NAMES,
  type DumpedTable,
  type DumpRow,
  type DumpValue,
  kindsOf,
  type RowCounts,
} from '../store/dump.ts'

const FORMAT = 1
/** Longer than any row: the bundle of a trust domain with thousands of authorities. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024
const MAX_SECONDS = 8_640_000_000_000

export interface Manifest {
  readonly trustDomain: string
  readonly createdAt: Date
  /** Of the server whose CA keys are in it. */
  readonly serverKey: string
  /** Of the change log. */
  readonly latestSequence: number
  /** `none`: the server kept its keys in memory, and they are not in it. */
  readonly keys: 'disk' | 'none'
}

/** PKCS#8, DER, by name. */
export type BackupKeys = ReadonlyMap<string, Uint8Array>

export interface End {
  readonly counts: RowCounts
  /** SHA-256 of all lines before, in hexadecimal. */
  readonly sha256: string
}

export type BackupRecord =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  | { readonly kind: 'row'; readonly row: DumpRow }
  | { readonly kind: 'keys'; readonly keys: BackupKeys }
  | { readonly kind: 'end'; readonly end: End }

const seconds = z.int().min(0).max(MAX_SECONDS)
const count = z.int().min(0)

const MANIFEST = z.strictObject({
  format: z.literal(FORMAT),
  trust_domain: z.string(),
  created_at: seconds,
  server_key: z.string().min(1),
  latest_sequence: count,
  keys: z.enum(['disk', 'none']),
  tables: z.record(z.string(), z.array(z.string())),
})
const KEYS = z.record(z.string(), z.base64())
const END = z.strictObject({
  counts: z.record(z.enum([...DUMPED_TABLE_NAMES]), count),
  sha256: z.hex().length(64),
})
const LINE = z.tuple([z.string(), z.unknown()])

const COLUMNS = Object.fromEntries(DUMPED_TABLE_NAMES.map((name) => [name, [...columnsOf(name)]]))

/** @returns the line, with its line feed */
export function formatRecord(record: BackupRecord): string {
  return `${JSON.stringify(lineOf(record))}\n`
}

function lineOf(record: BackupRecord): readonly [string, unknown] {
  switch (record.kind) {
    case 'manifest': {
      const { trustDomain, createdAt, serverKey, latestSequence, keys } = record.manifest
      const document: z.input<typeof MANIFEST> = {
        ...{ format: FORMAT, trust_domain: trustDomain, created_at: unixSeconds(createdAt) },
        ...{ server_key: serverKey, latest_sequence: latestSequence, keys, tables: COLUMNS },
      }
      return ['backup', document]
    }
    case 'row':
      return [record.row.table, record.row.values.map(plainValue)]
    case 'keys':
      return ['keys', Object.fromEntries([...record.keys].map(([id, key]) => [id, base64(key)]))]
    case 'end':
      return ['end', record.end]
    default:
      return record satisfies never
  }
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const plainValue = (value: DumpValue) => (value instanceof Uint8Array ? base64(value) : value)

/** @param number of the line, from 1, for the message @throws IdentityError REQUEST_INVALID, quoting nothing of the line */
export function parseRecord(line: string, number: number): BackupRecord {
  try {
    const [name, value] = LINE.parse(JSON.parse(line))
    if (name === 'backup') return { kind: 'manifest', manifest: parseManifest(value) }
    if (name === 'keys') return { kind: 'keys', keys: parseKeys(value) }
    if (name === 'end') return { kind: 'end', end: END.parse(value) }
    const table = DUMPED_TABLE_NAMES.find((known) => known === name)
    if (table === undefined) throw new Error('it is of no known kind')
    return { kind: 'row', row: { table, values: parseValues(table, value) } }
  } catch (error) {
    if (error instanceof IdentityError) throw error
    // What the parsers say would quote the line, which may hold a key.
    throw unexpected(number)
  }
}

export function unexpected(number: number): IdentityError {
  const why = `line ${number} of the backup is not as this version writes it`
  return new IdentityError('REQUEST_INVALID', `${why}: use the version that made it`)
}

function parseManifest(value: unknown): Manifest {
  const manifest = MANIFEST.parse(value)
  if (JSON.stringify(manifest.tables) !== JSON.stringify(COLUMNS)) {
    const why = 'the backup was made by a version with other tables'
    throw new IdentityError('REQUEST_INVALID', `${why}: restore it with that version`)
  }
  return {
    trustDomain: manifest.trust_domain,
    createdAt: fromUnixSeconds(manifest.created_at),
    serverKey: manifest.server_key,
    latestSequence: manifest.latest_sequence,
    keys: manifest.keys,
  }
}

function parseKeys(value: unknown): BackupKeys {
  const keys = Object.entries(KEYS.parse(value))
  return new Map(keys.map(([id, text]) => [id, Buffer.from(text, 'base64')]))
}

function parseValues(table: DumpedTable, value: unknown): readonly DumpValue[] {
  const kinds = kindsOf(table)
  if (!Array.isArray(value) || value.length !== kinds.length) throw new Error('columns are missing')
  return kinds.map((kind, index) => parseValue(kind, value[index]))
}

function parseValue(kind: ColumnKind, value: unknown): DumpValue {
  if (value === null && kind.endsWith('?')) return null
  if (kind === 'bytes') {
    if (typeof value === 'string') return Buffer.from(value, 'base64')
  } else if (kind.startsWith('text')) {
    if (typeof value === 'string') return value
  } else if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new Error('a value is of another kind than its column')
}
