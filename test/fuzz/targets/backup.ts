/** Files that come back from elsewhere: backups with their heads and records, journals, ledgers, exported bundles. */
import { createHash } from 'node:crypto'
import { formatRecord, parseRecord } from '../../../server/backup/backup-record.ts'
import {
  HEAD_START_BYTES,
  MAGIC,
  parseHead,
  readHeadStart,
} from '../../../server/backup/file-head.ts'
import { openStream } from '../../../server/backup/sealed-stream.ts'
import { verifyBackup } from '../../../server/backup/verify-backup.ts'
import { decodeJournal, encodeJournal } from '../../../server/ca/journal-document.ts'
import * as ledger from '../../../server/issue/ledger-record.ts'
import { DUMPED_TABLE_NAMES } from '../../../server/store/dump.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { answerOf, type FuzzTarget, mustEqual, ofText, readByOther } from '../target.ts'

const NO_SLOTS = { prepared: undefined, active: undefined, old: undefined }
const trustDomain = parseTrustDomain('example.org')
const journal = encodeJournal({ trustDomain, x509: NO_SLOTS, jwt: NO_SLOTS })
const manifest = formatRecord({
  kind: 'manifest',
  manifest: {
    trustDomain,
    createdAt: new Date('2026-01-01T00:00:00Z'),
    serverKey: 'local',
    latestSequence: 7,
    keys: 'none',
  },
})
const bundle = JSON.stringify([
  'bundles',
  ['example.org', '{"x509":[],"jwt":[],"refresh_hint":0,"sequence":1}'],
])
const WORDS = [
  '["backup",',
  '["entries",',
  '["nodes",',
  '["bundles",',
  '["ca_journals",',
  '["federation_relationships",',
  '["keys",',
  '["end",',
  '\n',
  'null',
  '{}',
  '[]',
  '"spiffe://example.org/a"',
  '"scrypt"',
  '"x25519"',
  '"cost":1048576',
  '"__proto__"',
  '1e400',
]

const records: FuzzTarget = {
  name: 'backup-records',
  oracle: 'a record is read and written as the same; a file is believed whole or refused',
  seeds: [
    ofText(manifest),
    ofText(`${manifest}${bundle}\n`),
    Buffer.concat([
      ofText(manifest),
      ofText('["ca_journals",["local","'),
      ofText(Buffer.from(journal).toString('base64')),
      ofText('"]]\n'),
    ]),
  ],
  dictionary: WORDS,
  ...{ maxBytes: 4_096, share: 2 },
  async run(input) {
    const lines = input
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
    const counts = new Map(DUMPED_TABLE_NAMES.map((name) => [name, 0]))
    for (const line of lines) {
      const read = answerOf(() => parseRecord(line, 1))?.answer
      if (read === undefined) continue
      mustEqual('record', parseRecord(formatRecord(read), 1), read)
      if (read.kind === 'row') counts.set(read.row.table, (counts.get(read.row.table) ?? 0) + 1)
    }
    const text = lines.map((line) => `${line}\n`).join('')
    const sha256 = createHash('sha256').update(text).digest('hex')
    // With the end that belongs to it, so that what it says is looked at.
    const end = `${JSON.stringify(['end', { counts: Object.fromEntries(counts), sha256 }])}\n`
    await verifyBackup(piecesOf(ofText(text + end)))
  },
}

const head: FuzzTarget = {
  name: 'backup-head',
  oracle:
    'a head is read or refused before any key is made; a sealed stream that nobody sealed is refused',
  seeds: [
    Buffer.concat([MAGIC, Buffer.from([1, 0, 0, 0, 2]), ofText('{"keys":[]}')]),
    ofText(
      `{"keys":[{"kind":"scrypt","salt":"${'A'.repeat(22)}==","cost":16,"wrapped":"${'A'.repeat(64)}"}]}`,
    ),
  ],
  dictionary: WORDS,
  ...{ maxBytes: 2_048, share: 10 },
  async run(input) {
    answerOf(() => readHeadStart(input.subarray(0, HEAD_START_BYTES)))
    answerOf(() => parseHead(input.subarray(HEAD_START_BYTES)))
    answerOf(() => parseHead(input))
    for await (const _ of openStream(Buffer.alloc(32), piecesOf(input))) {
      throw new Error('a stream opens that nobody sealed')
    }
  },
}

const documents: FuzzTarget = {
  name: 'backup-documents',
  oracle: 'a journal or a ledger is read and written as the same',
  seeds: [Buffer.from(journal), ofText('{}')],
  dictionary: [...WORDS, '"trust_domain"', '"slots"', '"x509"', '"jwt"'],
  ...{ maxBytes: 4_096, share: 10 },
  run(input) {
    const read = readByOther(() => decodeJournal(input))?.answer
    if (read !== undefined) mustEqual('journal', decodeJournal(encodeJournal(read)), read)
    const record = readByOther(() => ledger.parseRecord(input.toString('utf8')))?.answer
    if (record !== undefined)
      mustEqual('record', ledger.parseRecord(ledger.formatRecord(record)), record)
  },
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

export const targets: readonly FuzzTarget[] = [records, head, documents]
