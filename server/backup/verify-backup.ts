/**
 * Reads a backup from its first line to its last before anything is written: whether it is whole, consistent in itself, and such that a server can go on from it. Fails closed: on any doubt it is refused.
 */

import type { Bundle } from '../../spiffe/bundle.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { parseSpiffeId, parseTrustDomain } from '../../spiffe/id.ts'
import { decodeJournal, type JournalDocument } from '../ca/journal-document.ts'
import { columnsOf, type DumpedTable, type DumpRow, type RowCounts } from '../store/dump.ts'
import { decodeBundle } from '../store/sql/bundle-document.ts'
import { authoritiesWithoutKey } from './authority-keys.ts'
import type { BackupKeys, End, Manifest } from './backup-record.ts'
import { journalOf } from './journal-row.ts'
import { readRecords } from './read-records.ts'

export interface VerifiedBackup {
  readonly manifest: Manifest
  readonly counts: RowCounts
  /** Of all lines, in hexadecimal: the same for every copy of one backup. */
  readonly sha256: string
  /** Of the trust domain itself; undefined when the server had none yet. */
  readonly bundle: Bundle | undefined
  /** Of the server that made the backup. */
  readonly journal: JournalDocument | undefined
  /** Of other servers that shared its store: their keys are not in it. */
  readonly otherServers: readonly string[]
  /** Undefined: none are in it. */
  readonly keys: BackupKeys | undefined
}

interface Seen {
  readonly trustDomains: Set<string>
  readonly journals: Map<string, JournalDocument>
  bundle: Bundle | undefined
}

/** @throws IdentityError REQUEST_INVALID saying what is wrong; nothing of the content that is secret is quoted */
export async function verifyBackup(plain: AsyncIterable<Uint8Array>): Promise<VerifiedBackup> {
  const seen: Seen = { trustDomains: new Set(), journals: new Map(), bundle: undefined }
  let manifest: Manifest | undefined
  let keys: BackupKeys | undefined
  let end: End | undefined
  // To the very end, also after the last line: what is sealed behind it is judged as well.
  for await (const record of readRecords(plain)) {
    switch (record.kind) {
      case 'manifest':
        manifest = record.manifest
        break
      case 'row':
        judgeRow(record.row, manifest?.trustDomain ?? '', seen)
        break
      case 'keys':
        keys = record.keys
        break
      case 'end':
        end = record.end
        break
      default:
        record satisfies never
    }
  }
  // `readRecords` has refused a file without them before.
  if (manifest === undefined || end === undefined) throw refusal('the backup is not whole')
  const { serverKey } = manifest
  const journal = seen.journals.get(serverKey)
  if (keys !== undefined && journal !== undefined) mustHaveKeys(journal, keys)
  const otherServers = [...seen.journals.keys()].filter((key) => key !== serverKey)
  return { manifest, ...end, bundle: seen.bundle, journal, otherServers, keys }
}

function mustHaveKeys(journal: JournalDocument, keys: BackupKeys): void {
  const missing = authoritiesWithoutKey(journal, keys)
  if (missing.length === 0) return
  throw refusal(`the backup holds no key of its authorities ${missing.join(', ')}`)
}

interface Judged {
  readonly row: DumpRow
  readonly trustDomain: string
  readonly seen: Seen
  text(column: string): string
}

/** What the database itself does not check. */
const JUDGES: Readonly<Record<DumpedTable, (judged: Judged) => void>> = {
  bundles({ text, trustDomain, seen }) {
    const row = { trust_domain: text('trust_domain'), document: text('document') }
    const bundle = decodeBundle(row)
    seen.trustDomains.add(bundle.trustDomain)
    if (bundle.trustDomain === trustDomain) seen.bundle = bundle
  },
  federation_relationships({ text }) {
    parseTrustDomain(text('trust_domain'))
  },
  entries({ text, seen }) {
    parseSpiffeId(text('spiffe_id'))
    parseSpiffeId(text('parent_id'))
    textsOf(text('selectors'))
    textsOf(text('dns_names'))
    const missing = textsOf(text('federates_with')).find((one) => !seen.trustDomains.has(one))
    if (missing !== undefined)
      throw new Error(`it federates with ${missing}, of which there is no bundle`)
  },
  nodes({ text }) {
    parseSpiffeId(text('id'))
    textsOf(text('selectors'))
  },
  ca_journals: judgeJournal,
}

function judgeRow(row: DumpRow, trustDomain: string, seen: Seen): void {
  const text = (column: string) => String(row.values[columnsOf(row.table).indexOf(column)])
  try {
    JUDGES[row.table]({ row, trustDomain, seen, text })
  } catch (error) {
    const [name = ''] = columnsOf(row.table).includes('id') ? [text('id')] : row.values
    const what = `${JSON.stringify(String(name))} in ${row.table} of the backup cannot be restored`
    throw refusal(`${what}: ${reasonOf(error).replaceAll(/\s+/g, ' ')}`)
  }
}

function judgeJournal({ row, trustDomain, seen }: Judged): void {
  const journal = journalOf(row)
  if (journal === undefined) throw new Error('it is of an unknown kind')
  const document = decodeJournal(journal.document)
  if (document.trustDomain !== trustDomain) throw new Error(`it is of ${document.trustDomain}`)
  seen.journals.set(journal.serverKey, document)
}

function textsOf(json: string): readonly string[] {
  const list: unknown = JSON.parse(json)
  if (Array.isArray(list) && list.every((one) => typeof one === 'string')) return list
  throw new Error('a list of texts is none')
}

function refusal(message: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', message)
}
