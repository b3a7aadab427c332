import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connectTo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Connection, connect } from '../../../../server/store/postgres/connection.ts'
import { type ListenDeps, listenChanges } from '../../../../server/store/postgres/listen-changes.ts'
import type { Store } from '../../../../server/store/store.ts'
import { type Clock, systemClock } from '../../../../spiffe/clock.ts'
import { IdentityError } from '../../../../spiffe/error.ts'
import { FakeClock } from '../../../fakes/clock.ts'
import { type Postgres, withPostgres } from '../../../processes/postgres.ts'
import { idOf, newEntry } from '../../entries/sample-entry.ts'
import { configOf, emptyDatabase, openPostgresStore } from './open-for-test.ts'

/** Passes everything on between a socket of its own and that of PostgreSQL, until it is told to fall silent. */
async function openLink(postgres: Postgres) {
  const directory = mkdtempSync(join(tmpdir(), 'steeple-link-'))
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connectTo(join(postgres.directory, `.s.PGSQL.${postgres.port}`))
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
  })
  server.listen(join(directory, `.s.PGSQL.${postgres.port}`))
  await once(server, 'listening')
  return {
    directory,
    /** Of the connections there are now; new ones get through. */
    silence: () => {
      for (const socket of sockets) socket.unpipe().pause()
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
      rmSync(directory, { recursive: true })
    },
  }
}

withPostgres('listening for commits of other servers', (postgres) => {
  let isThere = false
  let other: Store
  let news: number[]
  let hearing: boolean[]
  let failures: unknown[]
  let stop: AbortController
  let running: Promise<void>
  let connections: Connection[]

  beforeEach(async () => {
    if (isThere) await emptyDatabase(postgres(), 'listen')
    else await postgres().createDatabase('listen')
    isThere = true
    other = await openPostgresStore(postgres(), 'listen')
    ;[news, hearing, failures, connections] = [[], [], [], []]
    stop = new AbortController()
    running = Promise.resolve()
  })
  afterEach(async () => {
    stop.abort()
    await running
    await Promise.all([other.close(), ...connections.map((one) => one.close())])
  })

  function listen(clock: Clock = systemClock, host = postgres().directory) {
    const config = configOf(postgres(), 'listen')
    const primary = {
      ...config.primary,
      applicationName: 'ear',
      hosts: [{ host, port: postgres().port }],
    }
    const connection = connect({ config: { ...config, primary }, clock: systemClock })
    connections.push(connection)
    const deps: ListenDeps = {
      ...{ connection, clock, greet: async () => {} },
      onNews: (sequence) => news.push(sequence),
      onHearing: (hears) => hearing.push(hears),
      onFailure: (error) => failures.push(error),
    }
    running = listenChanges(deps, stop.signal)
  }

  const write = (name: string) =>
    other.entries.create([newEntry({ id: name, spiffeId: idOf(`/${name}`) })])

  const cutEar = () =>
    postgres().sql(
      `select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where application_name = 'ear'`,
    )

  test('says what there is already, and then each commit of another server', async () => {
    await write('a')
    listen()
    await expect.poll(() => hearing).toEqual([true])
    expect(news).toEqual([1])
    await write('b')
    await write('c')
    await expect.poll(() => news).toEqual([1, 2, 3])
  })

  test('what was undone is not announced', async () => {
    await write('a')
    listen()
    await expect.poll(() => hearing).toEqual([true])
    const refuse = () => {
      throw new IdentityError('ENTRY_INVALID', 'not to be')
    }
    const [result] = await other.entries.update([{ id: 'a', change: refuse }])
    expect(result?.kind).toBe('refused')
    await write('b')
    await expect.poll(() => news).toEqual([1, 2])
  })

  test('a connection that was ended is made anew, and what went unheard is told', async () => {
    const clock = new FakeClock()
    listen(clock)
    await expect.poll(() => hearing).toEqual([true])
    await cutEar()
    await expect.poll(() => hearing).toEqual([true, false])
    expect(failures).toEqual([expect.objectContaining({ code: 'UNAVAILABLE' })])
    await write('unheard')
    expect(news).toEqual([0])
    await clock.sleepers(1)
    clock.advance(100)
    await expect.poll(() => hearing).toEqual([true, false, true])
    expect(news).toEqual([0, 1])
    await write('heard')
    await expect.poll(() => news).toEqual([0, 1, 2])
  })

  test('a connection on which nothing comes any more is given up after three seconds', async () => {
    await using link = await openLink(postgres())
    const clock = new FakeClock()
    listen(clock, link.directory)
    await expect.poll(() => hearing).toEqual([true])
    link.silence()
    await clock.sleepers(1)
    clock.advance(1_000)
    await clock.sleepers(1) // it was asked, and an answer is waited for
    clock.advance(1_999)
    expect(hearing).toEqual([true])
    clock.advance(1)
    await expect.poll(() => hearing).toEqual([true, false])
    await write('unheard')
    await clock.sleepers(1)
    clock.advance(100)
    await expect.poll(() => hearing).toEqual([true, false, true])
    expect(news).toEqual([0, 1])
  })

  test('ends on a connection on which nothing comes any more', async () => {
    await using link = await openLink(postgres())
    listen(new FakeClock(), link.directory)
    await expect.poll(() => hearing).toEqual([true])
    link.silence()
    stop.abort()
    await running
    expect(failures).toEqual([])
  })

  test('while the database is away it is tried ever more slowly', async () => {
    const clock = new FakeClock()
    listen(clock, '/nowhere')
    for (const pauseMs of [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
      await clock.sleepers(1)
      const before = failures.length
      clock.advance(pauseMs - 1)
      expect(failures.length).toBe(before)
      clock.advance(1)
      await expect.poll(() => failures.length).toBe(before + 1)
    }
    expect(news).toEqual([])
    expect(hearing.includes(true)).toBe(false)
  })

  test('the store says whether it hears the others, and since when', async () => {
    const deaf = other.changes.hearing
    await expect.poll(deaf).toBe(1)
    await postgres().sql(
      `select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
        where datname = 'listen' and query in ('select 1', 'select latest from change_log', 'listen steeple_changes')`,
    )
    await expect.poll(deaf).toBe(2)
  })

  test('ends when it is told to, connected or not', async () => {
    listen()
    await expect.poll(() => hearing).toEqual([true])
    stop.abort()
    await running
    stop = new AbortController()
    listen(systemClock, '/nowhere')
    await expect.poll(() => failures.length).toBeGreaterThan(0)
    stop.abort()
    await running
    expect(
      await postgres().sql(`select count(*) from pg_stat_activity where application_name = 'ear'`),
    ).toBe('0')
  })
})
