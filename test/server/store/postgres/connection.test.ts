import { afterEach, expect, test } from 'vitest'
import { type Connection, connect } from '../../../../server/store/postgres/connection.ts'
import type { PostgresConfig } from '../../../../server/store/postgres/postgres-config.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { type Postgres, withPostgres } from '../../../processes/postgres.ts'
import { configOf } from './open-for-test.ts'

let opened: Connection[] = []

afterEach(async () => {
  await Promise.all(opened.map((connection) => connection.close()))
  opened = []
})

function open(postgres: Postgres, changes: Partial<PostgresConfig['primary']> = {}, most = 5) {
  const connection = connect({
    config: {
      kind: 'postgres',
      primary: {
        hosts: [{ host: postgres.directory, port: postgres.port }],
        user: 'steeple',
        password: undefined,
        database: 'postgres',
        applicationName: 'steeple',
        options: undefined,
        wants: 'any',
        connectTimeoutMs: 10_000,
        tls: { mode: 'require', roots: undefined, client: undefined },
        ...changes,
      },
      readOnly: undefined,
      maxOpenConnections: most,
      maxIdleConnections: 2,
      connectionLifeMs: undefined,
      migrates: true,
      logsSql: false,
    },
    clock: systemClock,
  })
  opened.push(connection)
  return connection
}

const PID = 'select pg_backend_pid() as pid'
const pidOf = (row: { pid: number } | undefined) => row?.pid ?? -1

withPostgres('connections to PostgreSQL', (postgres) => {
  const end = (pid: number) => postgres().sql(`select pg_terminate_backend(${pid}, 5000)`)

  test('values go there and come back as they were: long numbers, bytes, arrays, nothing', async () => {
    const { reads } = open(postgres())
    const text = 'select $1::bigint as n, $2::bytea as b, $3::text[] as list, $4::text as none'
    const list = ['a', 'with "quotes", \\ and {braces}', '']
    const bytes = new Uint8Array([0, 255, 39])
    for (const _ of ['parsed', 'prepared before']) {
      const row = await reads.one<{ n: number; b: Uint8Array; list: string[]; none: null }>(
        text,
        ...[2 ** 45, bytes, list, null],
      )
      expect(row).toEqual({ n: 2 ** 45, b: Buffer.from(bytes), list, none: null })
    }
  })

  test('what is written is there once the promise resolves, and not before the commit', async () => {
    const connection = open(postgres())
    await connection.write((session) => session.run('create table written (n int)'))
    await connection.write(async (session) => {
      expect(await session.run('insert into written values ($1), ($2)', 1, 2)).toBe(2)
      expect(await connection.reads.all('select n from written')).toEqual([])
    })
    expect(await connection.reads.all('select n from written order by n')).toEqual([
      { n: 1 },
      { n: 2 },
    ])
  })

  test('a write that throws leaves nothing, and the next one goes on', async () => {
    const connection = open(postgres())
    await connection.write((session) => session.run('create table refused (n int)'))
    await expect(
      connection.write(async (session) => {
        await session.run('insert into refused values (1)')
        throw new Error('refused after all')
      }),
    ).rejects.toThrow('refused after all')
    await connection.write((session) => session.run('insert into refused values (2)'))
    expect(await connection.reads.all('select n from refused')).toEqual([{ n: 2 }])
  })

  test('a statement that failed unnoticed is never taken for a commit', async () => {
    const connection = open(postgres())
    const write = connection.write(async (session) => {
      await session.run('select 1 / $1::int', 0).catch(() => {})
    })
    await expect(write).rejects.toThrow(/answered a commit with ROLLBACK/)
  })

  test('writes follow one another on one connection', async () => {
    const connection = open(postgres())
    const pids = new Set<number>()
    let inside = 0
    await Promise.all(
      Array.from({ length: 20 }, () =>
        connection.write(async (session) => {
          inside += 1
          expect(inside).toBe(1)
          pids.add(pidOf(await session.one(PID)))
          inside -= 1
        }),
      ),
    )
    expect(pids.size).toBe(1)
  })

  test('a transaction whose connection was lost before its commit is done again, once', async () => {
    const connection = open(postgres())
    await connection.write((session) => session.run('create table again (n int)'))
    let tries = 0
    await connection.write(async (session) => {
      tries += 1
      await session.run('insert into again values ($1)', tries)
      if (tries === 1) await end(pidOf(await session.one(PID)))
      await session.run('insert into again values ($1)', 10)
    })
    expect(await connection.reads.all('select n from again order by n')).toEqual([
      { n: 2 },
      { n: 10 },
    ])
  })

  test('a connection lost at the commit is told as not known, and is not done again', async () => {
    const connection = open(postgres())
    // The commit itself waits: a deferred constraint asks a function that sleeps until it is ended.
    await connection.write(async (session) => {
      await session.run('create table last (n int)')
      await session.run(`create function stay() returns trigger language plpgsql as
        $$ begin perform pg_sleep(60); return null; end $$`)
      await session.run(`create constraint trigger stays after insert on last
        deferrable initially deferred for each row execute function stay()`)
    })
    let tries = 0
    let pid = -1
    const write = connection.write(async (session) => {
      tries += 1
      pid = pidOf(await session.one(PID))
      await session.run('insert into last values (1)')
    })
    const outcome = expect(write).rejects.toThrow(
      /lost at the commit, which may have taken effect or not/,
    )
    await expect
      .poll(() => postgres().sql(`select query from pg_stat_activity where pid = ${pid}`))
      .toBe('commit')
    await end(pid)
    await outcome
    expect(tries).toBe(1)
  })

  test('a deadlock with another server is tried again, and both get through', async () => {
    const [one, two] = [open(postgres()), open(postgres())]
    await one.write(async (session) => {
      await session.run('create table pair (id int primary key, n int)')
      await session.run('insert into pair values (1, 0), (2, 0)')
    })
    const bothHold = Promise.withResolvers<void>()
    let holding = 0
    const add = 'update pair set n = n + 1 where id = $1'
    const both = (connection: Connection, order: readonly [number, number]) =>
      connection.write(async (session) => {
        await session.run(add, order[0])
        holding += 1
        if (holding === 2) bothHold.resolve()
        await bothHold.promise
        await session.run(add, order[1])
      })
    await Promise.all([both(one, [1, 2]), both(two, [2, 1])])
    expect(holding).toBeGreaterThan(2) // one of them had to begin again, or both
    expect(await one.reads.all('select n from pair')).toEqual([{ n: 2 }, { n: 2 }])
  })

  test('reads go on after every connection was ended, without an error', async () => {
    const { reads } = open(postgres())
    const ask = () => Promise.all(Array.from({ length: 4 }, () => reads.one<{ pid: number }>(PID)))
    const before = (await ask()).map(pidOf)
    for (const pid of before) await end(pid)
    const after = (await ask()).map(pidOf)
    expect(after.filter((pid) => before.includes(pid))).toEqual([])
  })

  test('no more connections are open than were allowed, and idle ones are kept up to their number', async () => {
    const connection = open(postgres(), { applicationName: 'counted' }, 4)
    const count = async () =>
      Number(
        await postgres().sql(
          `select count(*) from pg_stat_activity where application_name = 'counted'`,
        ),
      )
    const asked = Array.from({ length: 30 }, () => connection.reads.one('select pg_sleep(0.02)'))
    await connection.write((session) => session.run('select 1'))
    await expect.poll(count).toBe(4)
    await Promise.all(asked)
    await expect.poll(count).toBe(3) // two idle readers, and the writer
    await connection.close()
    await expect.poll(count).toBe(0)
  })

  test('a transaction that is held up is ended by the database, so that others need not wait for it', async () => {
    const connection = open(postgres())
    const limit = await connection.reads.one<{ ms: string }>(
      `select setting as ms from pg_settings where name = 'idle_in_transaction_session_timeout'`,
    )
    expect(limit).toEqual({ ms: '5000' })
  })

  test('a snapshot sees one moment, whatever is written meanwhile, and may write nothing', async () => {
    const connection = open(postgres())
    await connection.write((session) => session.run('create table moment (n int)'))
    await connection.snapshot(async (session) => {
      expect(await session.all('select n from moment')).toEqual([])
      await connection.write((writer) => writer.run('insert into moment values (1)'))
      expect(await session.all('select n from moment')).toEqual([])
    })
    const written = connection.snapshot((session) => session.run('insert into moment values (2)'))
    await expect(written).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  test('reads that may lag go to the other database, and to the first while that one is away', async () => {
    await postgres().createDatabase('replica')
    const where = (connection: Connection) =>
      connection.laggingReads.one<{ name: string }>('select current_database() as name')
    for (const [hosts, name] of [
      [[{ host: postgres().directory, port: postgres().port }], 'replica'],
      [[{ host: '/nowhere', port: 1 }], 'postgres'],
    ] as const) {
      const readOnly = { ...configOf(postgres(), 'replica').primary, hosts }
      const config = { ...configOf(postgres(), 'postgres'), readOnly }
      const connection = connect({ config, clock: systemClock })
      opened.push(connection)
      expect(await where(connection)).toEqual({ name })
      expect(await connection.reads.one('select current_database() as name')).toEqual({
        name: 'postgres',
      })
    }
  })

  test('nothing is asked of a closed store, and closing waits for what runs', async () => {
    const connection = open(postgres())
    const running = connection.reads.one('select pg_sleep(0.05), 7 as n')
    await connection.close()
    await connection.close()
    expect(await running).toMatchObject({ n: 7 })
    const refusal = { code: 'UNAVAILABLE', message: 'the store is closed' }
    await expect(connection.reads.one('select 1')).rejects.toMatchObject(refusal)
    await expect(connection.write(async () => 1)).rejects.toMatchObject(refusal)
  })

  test('a connection of its own says when it is lost', async () => {
    await using own = await open(postgres()).openOwn()
    expect(own.lost.aborted).toBe(false)
    await end(pidOf(await own.one(PID)))
    await expect.poll(() => own.lost.aborted).toBe(true)
    await expect(own.one('select 1')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
