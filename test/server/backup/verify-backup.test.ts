/** A backup is believed whole or not at all: whatever is wrong in it, it is refused before anything is written. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { verifyBackup } from '../../../server/backup/verify-backup.ts'
import { writeBackup } from '../../../server/backup/write-backup.ts'
import { openDiskKeyStore } from '../../../server/ca/key-store/disk.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { openSite, SERVER_KEY, startServer, TRUST_DOMAIN } from '../ca/server-under-test.ts'
import { newEntry } from '../entries/sample-entry.ts'
import { bundle, partner } from '../store/sample-bundle.ts'

const dir = mkdtempSync(join(tmpdir(), 'steeple-verify-'))
afterAll(() => rmSync(dir, { recursive: true }))
const keysPath = join(dir, 'keys.json')

async function* piecesOf(...texts: readonly string[]) {
  for (const text of texts) yield Buffer.from(text)
}
const verify = (lines: readonly string[]) =>
  verifyBackup(piecesOf(lines.map((line) => `${line}\n`).join('')))

async function site() {
  const opened = await openSite()
  opened.keyStore = await openDiskKeyStore({ path: keysPath, log: memoryLog().log })
  return opened
}

async function linesOfBackup(): Promise<readonly string[]> {
  const opened = await site()
  await startServer(opened)
  const { store, clock } = opened
  await store.bundles.update(partner, () => bundle())
  await store.entries.create([newEntry({ id: 'one', federatesWith: [partner] })])
  await store.caJournal.save(`${SERVER_KEY}/signing-ledger`, Buffer.from('a run'))
  const deps = {
    dump: store.dump,
    trustDomain: TRUST_DOMAIN,
    serverKey: SERVER_KEY,
    keysPath,
    clock,
  }
  let text = ''
  for await (const piece of writeBackup(deps)) text += Buffer.from(piece).toString()
  await store.close()
  return text.trimEnd().split('\n')
}

const lines = await linesOfBackup()
const at = (start: string) => lines.findIndex((line) => line.startsWith(start))
const manifest = at('["backup"')
const entry = at('["entries"')
const journal = at('["ca_journals"')
const keys = at('["keys"')
const end = at('["end"')

/** With the last line made anew, as who can seal a file could make it. */
function sealed(changed: readonly string[]): readonly string[] {
  const before = changed.slice(0, -1)
  const sha256 = createHash('sha256')
    .update(before.map((line) => `${line}\n`).join(''))
    .digest('hex')
  const counts = { bundles: 0, federation_relationships: 0, entries: 0, nodes: 0, ca_journals: 0 }
  for (const line of before) {
    const [name] = JSON.parse(line)
    if (name in counts) counts[name as keyof typeof counts] += 1
  }
  return [...before, JSON.stringify(['end', { counts, sha256 }])]
}
const replaced = (index: number, from: string | RegExp, to: string) =>
  sealed(lines.with(index, lines[index]?.replace(from, to) ?? ''))

test('a whole backup is believed, and says what is in it', async () => {
  const verified = await verify(lines)
  expect(verified).toMatchObject({
    manifest: { trustDomain: TRUST_DOMAIN, serverKey: SERVER_KEY, keys: 'disk' },
    counts: { entries: 1, bundles: 2, nodes: 0, ca_journals: 1 },
    otherServers: [],
  })
  expect(verified.bundle?.x509Authorities).toHaveLength(1)
  expect([...(verified.keys?.keys() ?? [])]).toEqual(['JWT-Signer-A', 'x509-CA-A'])
  expect(verified.journal?.x509.active?.keySlot).toBe('A')
})

test('the word on the signing ledger is not in it', () => {
  expect(lines.join('\n')).not.toContain('signing-ledger')
})

test('any line left out, written twice or moved is noticed', async () => {
  for (const index of lines.keys()) {
    await expect(verify(lines.toSpliced(index, 1))).rejects.toBeInstanceOf(IdentityError)
    await expect(verify(lines.toSpliced(index, 0, lines[index] ?? ''))).rejects.toBeInstanceOf(
      IdentityError,
    )
    if (index === 0) continue
    const swapped = lines.with(index, lines[index - 1] ?? '').with(index - 1, lines[index] ?? '')
    await expect(verify(swapped)).rejects.toBeInstanceOf(IdentityError)
  }
})

test('any character changed is noticed, and no key is ever quoted', async () => {
  const text = `${lines.join('\n')}\n`
  const secrets = Object.values<string>(JSON.parse(lines[keys] ?? '')[1])
  await fc.assert(
    fc.asyncProperty(
      fc.nat(text.length - 1),
      fc.constantFrom(...'0aZ"]{\n '),
      async (index, to) => {
        fc.pre(text[index] !== to)
        const error = await verifyBackup(
          piecesOf(text.slice(0, index), to, text.slice(index + 1)),
        ).then(
          () => expect.unreachable('a changed backup was believed'),
          (thrown: unknown) => thrown,
        )
        expect(error).toBeInstanceOf(IdentityError)
        for (const secret of secrets) expect(String(error)).not.toContain(secret.slice(40, 60))
      },
    ),
    { numRuns: 150 },
  )
})

test('every end that comes too early is noticed', async () => {
  const text = `${lines.join('\n')}\n`
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length - 1), async (length) => {
      await expect(verifyBackup(piecesOf(text.slice(0, length)))).rejects.toBeInstanceOf(
        IdentityError,
      )
    }),
    { numRuns: 50 },
  )
})

test.for<[string, () => readonly string[], string | RegExp]>([
  [
    'of another format',
    () => replaced(manifest, '"format":1', '"format":2'),
    'line 1 of the backup',
  ],
  [
    'with other tables',
    () => replaced(manifest, '"agent_version"', '"agent_words"'),
    'with other tables',
  ],
  [
    'with a table that nobody knows',
    () => sealed(lines.toSpliced(entry, 0, '["secrets",[]]')),
    /line \d+ of the backup/,
  ],
  ['with a column too many', () => replaced(entry, /\]\]$/, ',1]]'), /line \d+ of the backup/],
  [
    'with a number where text belongs',
    () => replaced(entry, '"one"', '1'),
    /line \d+ of the backup/,
  ],
  [
    'with half a number',
    () => replaced(entry, /(\d)\]\]$/, '$1.5]]'),
    /line \d+ of the backup|cannot be/,
  ],
  [
    'with an entry of no SPIFFE ID',
    () => replaced(entry, 'spiffe://', 'http://'),
    /"one" in entries of the backup cannot be restored/,
  ],
  [
    'with selectors that are no list',
    () => replaced(entry, /"\[\\"unix[^\]]*\]"/, '"{}"'),
    'cannot be restored',
  ],
  [
    'whose entry federates with a bundle that is not there',
    () => sealed(lines.filter((line) => !line.startsWith('["bundles",["partner'))),
    'it federates with partner.org, of which there is no bundle',
  ],
  [
    'whose bundle is none',
    () => replaced(at('["bundles"'), '{', '['),
    'in bundles of the backup cannot be restored',
  ],
  [
    'whose journal is none',
    () => replaced(journal, /","[^"]+",/, '","AAAA",'),
    'in ca_journals of the backup cannot be restored',
  ],
  [
    'whose journal is of another trust domain',
    () => replaced(manifest, 'example.org', 'example.com'),
    'it is of example.org',
  ],
  [
    'whose keys are of other authorities',
    () =>
      replaced(
        keys,
        /"JWT-Signer-A":"([^"]+)","x509-CA-A":"[^"]+"/,
        '"JWT-Signer-A":"$1","x509-CA-A":"$1"',
      ),
    'holds no key of its authorities',
  ],
  [
    'whose keys are none',
    () => replaced(keys, /"x509-CA-A":"[^"]+"/, '"x509-CA-A":"AAAA"'),
    'holds no key of its authorities',
  ],
  [
    'that promises keys and has none',
    () => sealed(lines.toSpliced(keys, 1)),
    /line \d+ of the backup/,
  ],
  [
    'that has keys and promises none',
    () => replaced(manifest, '"keys":"disk"', '"keys":"none"'),
    /line \d+ of the backup/,
  ],
  [
    'with other counts',
    () => lines.with(end, lines[end]?.replace('"entries":1', '"entries":2') ?? ''),
    'has 1 rows of entries, expected 2',
  ],
  [
    'with another digest',
    () =>
      lines.with(
        end,
        lines[end]?.replace(/"sha256":"./, '"sha256":"').replace('"}]', '0"}]') ?? '',
      ),
    'another digest',
  ],
])('a backup %s is refused, whoever sealed it', async ([, make, why]) => {
  await expect(verify(make())).rejects.toThrow(why)
})

test('a server whose keys file lost the key of an authority makes no backup', async () => {
  const opened = await site()
  await startServer(opened)
  const deps = {
    ...{ dump: opened.store.dump, trustDomain: TRUST_DOMAIN, serverKey: SERVER_KEY },
    ...{ keysPath: join(dir, 'others.json'), clock: opened.clock },
  }
  const read = async () => {
    for await (const _ of writeBackup(deps));
  }
  await expect(read()).rejects.toThrow(
    /others\.json holds no key of [0-9a-f]{40}, \w+, which the journal says/,
  )
  // and the snapshot was given back each time
  await using _ = await opened.store.dump.snapshot()
})
