import { X509Certificate } from 'node:crypto'
/** A trust domain is backed up while its server runs, lost, and restored somewhere else: what goes on and what does not. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { RenewAgentResponse } from '../../../../proto/gen/spire/api/server/agent/v1/RenewAgentResponse.ts'
import type { BatchCreateEntryResponse } from '../../../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { ListEntriesResponse } from '../../../../proto/gen/spire/api/server/entry/v1/ListEntriesResponse.ts'
import type { SyncAuthorizedEntriesResponse } from '../../../../proto/gen/spire/api/server/entry/v1/SyncAuthorizedEntriesResponse.ts'
import type { Bundle } from '../../../../proto/gen/spire/api/types/Bundle.ts'
import { BUNDLE_SEQUENCE_JUMP } from '../../../../server/backup/restore-backup.ts'
import { generateKey } from '../../../../spiffe/key.ts'
import { createCsr } from '../../../../spiffe/x509/csr.ts'
import { toPemChain } from '../../../../spiffe/x509/pem.ts'
import {
  type AttestedAgent,
  attest,
  type Clients,
  call,
  newToken,
  startTestServer,
  type TestServer,
} from '../../../server/running-server.ts'
import { run } from '../../run.ts'
import { backupPlace, PASSPHRASE } from './backup-place.ts'

const DISK = (dir: string) => ({
  dir,
  config: { keyManager: { kind: 'disk', keysPath: join(dir, 'keys.json') } } as const,
})

async function createEntries(server: TestServer, count: number, prefix = 'web'): Promise<void> {
  const entries = Array.from({ length: count }, (_, index) => ({
    spiffe_id: { trust_domain: 'example.org', path: `/${prefix}/${index}` },
    parent_id: { trust_domain: 'example.org', path: '/nodes' },
    selectors: [{ type: 'unix', value: `uid:${index}` }],
  }))
  const { results } = await call<BatchCreateEntryResponse>((done) =>
    server.admin.entry.BatchCreateEntry({ entries }, done),
  )
  expect(results.filter(({ status }) => status?.code !== 0)).toEqual([])
}

const entriesOf = async (server: TestServer) =>
  (await call<ListEntriesResponse>((done) => server.admin.entry.ListEntries({}, done))).entries
const bundleOf = (server: TestServer) =>
  call<Bundle>((done) => server.admin.bundle.GetBundle({}, done))
const sync = (clients: Clients) =>
  new Promise<SyncAuthorizedEntriesResponse>((resolve, reject) => {
    const stream = clients.entry.SyncAuthorizedEntries()
    stream.once('data', resolve)
    stream.once('error', reject)
    stream.write({})
    stream.end()
  })

async function renewed(clients: Clients): Promise<AttestedAgent['certificate']> {
  const key = await generateKey('ec-p256')
  const { svid } = await call<RenewAgentResponse>((done) =>
    clients.agent.RenewAgent({ params: { csr: createCsr({ key }) } }, done),
  )
  return {
    chain: toPemChain(svid?.cert_chain ?? []),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

const endOf = ({ chain }: AttestedAgent['certificate']) =>
  new X509Certificate(chain).validToDate.getTime()

test('after a restore elsewhere everything is there, and agents go on with what they have', async () => {
  using lost = backupPlace()
  using found = backupPlace()
  const file = lost.file('steeple.backup')
  const server = await startTestServer(DISK(lost.dir))
  const admin = server.admin
  const anonymous = await server.connect()
  const agent = await attest(anonymous, await newToken(admin))
  const busy = await attest(anonymous, await newToken(admin))
  await createEntries(server, 700)
  const before = await entriesOf(server)
  const bundle = await bundleOf(server)

  const socket = ['-recipient', lost.recipient, '-socketPath', server.socketPath]
  const made = await run([
    'server',
    'backup',
    file,
    '-passphraseFile',
    lost.passphraseFile,
    ...socket,
  ])
  expect([made.code, made.err]).toEqual([0, ''])
  expect(made.out).toMatch(
    /^Backup of example\.org, made at .* UTC\nDigest: [0-9a-f]{64}\nEntries: 700\nAgents: 2\n/,
  )
  expect(statSync(file).mode & 0o777).toBe(0o600)
  // nothing of it stays behind, and nothing of it can be read
  expect(readdirSync(lost.dir).filter((name) => /snapshot|tmp/.test(name))).toEqual([])
  const bytes = readFileSync(file)
  for (const secret of ['spiffe://example.org', 'keys', PASSPHRASE]) {
    expect(bytes.indexOf(secret, bytes.indexOf('}') + 400)).toBe(-1)
  }
  // what happens after it: an agent renews, an entry comes
  const connected = await server.connect(busy.certificate)
  let newer = busy.certificate
  // In a later second: an SVID that ends no later than what the backup knows is not told from an older one.
  const renewedEnd = async () => {
    newer = await renewed(connected)
    return endOf(newer)
  }
  await expect.poll(renewedEnd).toBeGreaterThan(endOf(busy.certificate))
  await sync(await server.connect(newer))
  await createEntries(server, 1, 'later')
  await server.stop()

  const passphrase = ['-config', found.config, '-passphraseFile', lost.passphraseFile]
  const verified = await run(['server', 'restore', file, ...passphrase, '-verify'])
  const open = ['-config', found.config, '-identity', lost.identity]
  expect([verified.code, verified.err]).toEqual([0, ''])
  expect(existsSync(found.file('datastore.sqlite3'))).toBe(false)
  const restored = await run(['server', 'restore', file, ...open])
  expect(restored.code).toBe(0)
  expect(restored.err).toMatch(/^Warning: what was done after .* is not known to the backup/)

  const next = await startTestServer(DISK(found.dir))
  expect(await entriesOf(next)).toEqual(before)
  // under a number that nobody outside has seen
  const { sequence_number, ...restoredBundle } = await bundleOf(next)
  expect({ ...restoredBundle, sequence_number: bundle.sequence_number }).toEqual(bundle)
  expect(Number(sequence_number)).toBeGreaterThanOrEqual(BUNDLE_SEQUENCE_JUMP)
  // the same authorities sign: an agent goes on, and so does one whose SVID is newer than the backup
  await sync(await next.connect(agent.certificate))
  await sync(await next.connect(newer))
  // which was taken once: the SVID of before is out, as it was
  await expect(sync(await next.connect(busy.certificate))).rejects.toMatchObject({ code: 7 })
  await createEntries(next, 1, 'after')
  await next.stop()

  // and once more: what is there is not overwritten unasked
  const again = await run(['server', 'restore', file, ...open])
  expect([again.code, again.err]).toEqual([
    1,
    expect.stringMatching(
      /^Error: the place to restore to is not empty: it has .*701 rows of entries in the store.*; -force removes that\n$/,
    ),
  ])
  const forced = await run(['server', 'restore', file, ...open, '-force'])
  expect([forced.code, forced.err]).toEqual([
    0,
    expect.stringContaining('Removing 701 rows of entries in the store\n'),
  ])
  const last = await startTestServer(DISK(found.dir))
  expect(await entriesOf(last)).toEqual(before)
  await last.stop()
})
