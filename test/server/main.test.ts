import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Bundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import type { Entry } from '../../proto/gen/spire/api/types/Entry.ts'
import { parseTrustDomain } from '../../spiffe/id.ts'
import { call, startTestServer } from './running-server.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-main-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const bundleOf = (server: Awaited<ReturnType<typeof startTestServer>>) =>
  call<Bundle>((done) => server.admin.bundle.GetBundle({}, done))

test('after a restart the server has the same bundle, entries and agents, and agents need not attest again', async () => {
  const entries = [
    {
      id: 'kept',
      spiffe_id: { trust_domain: 'example.org', path: '/kept' },
      parent_id: { trust_domain: 'example.org', path: '/n' },
      selectors: [{ type: 'unix', value: 'uid:1' }],
    },
  ]
  const first = await startTestServer({ dir })
  const bundle = await bundleOf(first)
  const agent = await first.attest()
  await call((done) => first.admin.entry.BatchCreateEntry({ entries }, done))
  await first.stop()

  await using second = await startTestServer({ dir })
  expect(await bundleOf(second)).toEqual(bundle)
  const kept = await call<Entry>((done) => second.admin.entry.GetEntry({ id: 'kept' }, done))
  expect(kept.spiffe_id?.path).toBe('/kept')
  const clients = await second.connect(agent.certificate)
  await call((done) => clients.entry.GetAuthorizedEntries({}, done))
})

test('with keys in memory a restarted server makes new authorities, and keeps the old ones in the bundle', async () => {
  const config = { keyManager: { kind: 'memory' } } as const
  const first = await startTestServer({ dir, config })
  const before = await bundleOf(first)
  await first.stop()
  await using second = await startTestServer({ dir, config })
  const after = await bundleOf(second)
  expect(after.x509_authorities).toHaveLength(2)
  expect(after.x509_authorities[0]).toEqual(before.x509_authorities[0])
})

test('stopping leaves no socket behind and frees the port', async () => {
  const server = await startTestServer({ dir })
  const { port, socketPath } = server
  expect(statSync(socketPath).mode & 0o777).toBe(0o770)
  await server.stop()
  expect(statSync(socketPath, { throwIfNoEntry: false })).toBeUndefined()
  await using again = await startTestServer({ dir, config: { bindPort: port } })
  expect(again.port).toBe(port)
})

test('a data directory that is not there is made', async () => {
  const dataDir = join(dir, 'deep', 'data')
  await using _server = await startTestServer({
    dir,
    config: {
      dataDir,
      dataStore: {
        ...{ kind: 'sqlite', path: join(dataDir, 'datastore.sqlite3') },
        ...{ migrates: true, logsSql: false },
      },
    },
  })
  expect(statSync(dataDir).isDirectory()).toBe(true)
})

test('a data directory that cannot be used is named', async () => {
  const dataDir = join(dir, 'file')
  writeFileSync(dataDir, '')
  await expect(startTestServer({ dir, config: { dataDir } })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(dataDir),
  })
})

test('a port that is taken is named, and nothing stays behind', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const address = holder.address()
  const bindPort = typeof address === 'object' && address !== null ? address.port : 0
  await expect(startTestServer({ dir, config: { bindPort } })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(`127.0.0.1:${bindPort}`),
  })
  holder.close()
  await using _again = await startTestServer({ dir })
})

test('a second server on the same socket is refused, and the first one goes on', async () => {
  await using first = await startTestServer({ dir })
  const other = mkdtempSync(join(tmpdir(), 'steeple-main-'))
  const second = startTestServer({ dir: other, config: { socketPath: first.socketPath } })
  await expect(second).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('another process is listening'),
  })
  rmSync(other, { recursive: true })
  expect((await bundleOf(first)).x509_authorities).toHaveLength(1)
})

test('a database of another trust domain is refused', async () => {
  const first = await startTestServer({ dir })
  await first.stop()
  await expect(
    startTestServer({ dir, config: { trustDomain: parseTrustDomain('other.org') } }),
  ).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('example.org'),
  })
})

test('a refused call is one line in the log, with its method, code and caller', async () => {
  await using server = await startTestServer({ dir })
  await call((done) => server.admin.entry.GetEntry({ id: 'nope' }, done)).catch(() => {})
  const lines = server.lines.filter(({ msg }) => msg === 'Call refused')
  expect(lines).toEqual([
    expect.objectContaining({
      level: 'warn',
      method: '/spire.api.server.entry.v1.Entry/GetEntry',
      code: 'NOT_FOUND',
      reason: 'entry not found',
      caller_pid: process.pid,
    }),
  ])
})
