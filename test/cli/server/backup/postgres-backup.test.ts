/** A trust domain moves between engines: out of a PostgreSQL that a server uses, into a file, and into the other engine. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ListEntriesResponse } from '../../../../proto/gen/spire/api/server/entry/v1/ListEntriesResponse.ts'
import type { Bundle } from '../../../../proto/gen/spire/api/types/Bundle.ts'
import { loadServerConfig } from '../../../../server/config.ts'
import { withPostgres } from '../../../processes/postgres.ts'
import { call, startTestServer, type TestServer } from '../../../server/running-server.ts'
import { run } from '../../run.ts'
import { type BackupPlace, backupPlace } from './backup-place.ts'

/** The server that the configuration of the place describes. */
function startIn({ dir, config }: BackupPlace): Promise<TestServer> {
  const { dataStore } = loadServerConfig(config, {}, {})
  const keyManager = { kind: 'disk', keysPath: join(dir, 'keys.json') } as const
  return startTestServer({ dir, config: { dataStore, keyManager } })
}

async function contentOf({ admin }: TestServer) {
  const { entries } = await call<ListEntriesResponse>((done) => admin.entry.ListEntries({}, done))
  const bundle = await call<Bundle>((done) => admin.bundle.GetBundle({}, done))
  // Each restore raises the number, so that those who federate take what comes.
  return { entries, bundle: { ...bundle, sequence_number: undefined } }
}

withPostgres('with a real PostgreSQL', (postgres) => {
  test('a backup of a server on PostgreSQL is restored to SQLite, and back to another PostgreSQL', async () => {
    using first = backupPlace({ postgres: await postgres().createDatabase('first') })
    using second = backupPlace()
    using third = backupPlace({ postgres: await postgres().createDatabase('third') })
    const server = await startIn(first)
    const entry = ['-spiffeID', 'spiffe://example.org/web', '-selector', 'unix:uid:1']
    const socket = ['-socketPath', server.socketPath]
    await run(['server', 'entry', 'create', '-node', ...entry, ...socket])
    const before = await contentOf(server)
    expect(before.entries).toHaveLength(1)
    const seal = ['-recipient', first.recipient]
    const open = ['-identity', first.identity]
    const made = await run(['server', 'backup', first.file('b'), ...seal, ...socket])
    expect([made.code, made.err]).toEqual([0, ''])

    // while a server of that database lives, nothing is restored to it
    const words = (place: BackupPlace, file: string) => [
      'server',
      'restore',
      file,
      '-config',
      place.config,
      ...open,
    ]
    const refused = await run([...words(first, first.file('b')), '-force'])
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(
        /^Error: servers of this database are running: .*; stop all of them before a restore\n$/,
      ),
    ])
    await server.stop()

    const toSqlite = await run(words(second, first.file('b')))
    expect([toSqlite.code, toSqlite.err]).toEqual([
      0,
      expect.stringContaining('Warning: what was done after'),
    ])
    const onSqlite = await startIn(second)
    expect(await contentOf(onSqlite)).toEqual(before)
    await onSqlite.stop()
    const again = await run([
      'server',
      'backup',
      second.file('b'),
      '-config',
      second.config,
      ...seal,
    ])
    expect([again.code, again.err]).toEqual([0, ''])

    const toPostgres = await run(words(third, second.file('b')))
    expect([toPostgres.code, toPostgres.err]).toEqual([
      0,
      expect.stringContaining('Warning: what was done after'),
    ])
    const onPostgres = await startIn(third)
    expect(await contentOf(onPostgres)).toEqual(before)
    await onPostgres.stop()
  })
})
