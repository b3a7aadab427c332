import { join } from 'node:path'
import { hrtime } from 'node:process'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { withPostgres } from '../../../processes/postgres.ts'
import { type Running, start } from '../../../processes/process.ts'
import { type ClosableTurns, turnsContract } from '../turns-contract.ts'
import {
  type Checker,
  createChecker,
  type Relay,
  relayTo,
  TIMES,
  type TurnsOptions,
  turnsAt,
} from './turns-under-test.ts'

const program = join(import.meta.dirname, 'hold-until-killed.ts')
/** For what is not about moving: a turn begins as soon as it is granted. */
const AT_ONCE = { ...TIMES, settleMs: 1, giveUpMs: 5_000, silenceMs: 6_000 }

const database = 'turns'
let stop: AbortController
let opened: ClosableTurns[]
let running: Promise<void>[]
let processes: Running[]
let relays: Relay[]
let checker: Checker

beforeEach(() => {
  stop = new AbortController()
  opened = []
  running = []
  processes = []
  relays = []
  checker = createChecker('a')
})
afterEach(async () => {
  stop.abort()
  for (const one of processes) one.kill('SIGKILL')
  await Promise.all([...processes.map(({ ended }) => ended), ...running])
  for (const turns of opened) await turns.close()
  for (const relay of relays) await relay[Symbol.asyncDispose]()
})

withPostgres('turns among the servers of one PostgreSQL', (postgres) => {
  const place = () => ({ host: postgres().directory, port: postgres().port, database })
  const open = (holder: string, options: TurnsOptions = {}) => {
    const turns = turnsAt(place(), holder, options)
    opened.push(turns)
    return turns
  }
  const take = (turns: ClosableTurns, holder: string, signal = stop.signal) => {
    running.push(checker.hold(turns, holder, signal))
  }
  const startProcess = (holder: string) => {
    const { host, port } = place()
    const child = start(process.execPath, [program, host, String(port), database, holder])
    processes.push(child)
    return child
  }
  const endSessionsOf = (holder: string) =>
    postgres().sql(
      `select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '${database}' and application_name = 'steeple turns ${holder}'`,
    )

  beforeAll(() => postgres().createDatabase(database))

  turnsContract('seen from one server', async () => turnsAt(place(), 'one', { times: AT_ONCE }))

  test('of three servers one works, and the others wait', async () => {
    for (const holder of ['x', 'y', 'z']) take(open(holder), holder)
    await expect.poll(() => checker.begun).toHaveLength(1)
    const states = opened.flatMap((turns) => turns.standing().map(({ state }) => state))
    expect(states.filter((state) => state === 'held')).toHaveLength(1)
    expect(checker.overlaps).toEqual([])
  })

  test('every server can say who holds a turn', async () => {
    const [first, second] = [open('first', { times: AT_ONCE }), open('second', { times: AT_ONCE })]
    take(first, 'first')
    await expect.poll(() => checker.begun).toEqual(['first'])
    take(second, 'second')
    await expect
      .poll(() => second.holders().catch(() => []))
      .toEqual([{ name: 'a', holder: 'first', isThisServer: false }])
    expect(await first.holders()).toEqual([{ name: 'a', holder: 'first', isThisServer: true }])
  })

  test('a server that gives its turn back is followed by another, and does not take it again by coming back', async () => {
    const leaving = new AbortController()
    const [first, second] = [open('first', { times: AT_ONCE }), open('second', { times: AT_ONCE })]
    take(first, 'first', leaving.signal)
    await expect.poll(() => checker.begun).toEqual(['first'])
    take(second, 'second')
    leaving.abort()
    await expect.poll(() => checker.begun).toEqual(['first', 'second'])
    take(first, 'first')
    await expect.poll(() => first.standing()).toMatchObject([{ state: 'waiting' }])
    expect(checker.begun).toEqual(['first', 'second'])
    expect(checker.overlaps).toEqual([])
  })

  test('a holder whose session is ended stops at once, and somebody works again', async () => {
    take(open('x'), 'x')
    await expect.poll(() => checker.begun).toEqual(['x'])
    take(open('y'), 'y')
    expect(await endSessionsOf('x')).toBe('1')
    await expect.poll(() => checker.working.has('x')).toBe(false)
    await expect.poll(() => checker.begun.length).toBe(2)
    expect(checker.overlaps).toEqual([])
  })

  test('a holder behind a network that swallows everything stops by itself before another begins', async () => {
    const { directory, port } = postgres()
    const relay = await relayTo(join(directory, `.s.PGSQL.${port}`))
    relays.push(relay)
    const far = turnsAt({ host: '127.0.0.1', port: relay.port, database }, 'far')
    opened.push(far)
    take(far, 'far')
    await expect.poll(() => checker.begun).toEqual(['far'])
    take(open('near'), 'near')
    relay.silence()
    await expect.poll(() => checker.begun).toEqual(['far', 'near'])
    expect(checker.overlaps).toEqual([])
  })

  test('after a restart of PostgreSQL one of the servers works, and one alone', async () => {
    for (const holder of ['x', 'y']) take(open(holder), holder)
    await expect.poll(() => checker.begun).toHaveLength(1)
    await postgres().restart()
    await expect.poll(() => checker.working.size === 1 && checker.begun.length === 2).toBe(true)
    expect(checker.overlaps).toEqual([])
  })

  test('a server that is killed is followed by another', async () => {
    const killed = startProcess('killed')
    await killed.line(/WORK/)
    take(open('next'), 'next')
    expect(checker.begun).toEqual([])
    killed.kill('SIGKILL')
    await expect.poll(() => checker.begun).toEqual(['next'])
  })

  test('a server that was stopped for a while works no more when it goes on', async () => {
    const stopped = startProcess('stopped')
    await stopped.line(/WORK/)
    let begunAt = 0n
    running.push(
      open('next').hold(
        'a',
        async ({ signal }) => {
          begunAt = hrtime.bigint()
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
        },
        stop.signal,
      ),
    )
    stopped.kill('SIGSTOP')
    await expect.poll(() => begunAt).toBeGreaterThan(0n)
    stopped.kill('SIGCONT')
    await stopped.line(/STOPPED/)
    const moments = [...stopped.output().matchAll(/WORK (\d+)/g)].map(([, text]) =>
      BigInt(text ?? 0),
    )
    expect(moments.filter((moment) => moment > begunAt)).toEqual([])
  })

  test('an answer that the lock was granted is not believed when the database does not show the lock', async () => {
    const failures: string[] = []
    const turns = open('fooled', {
      times: AT_ONCE,
      onFailure: (error) => failures.push(String(error)),
      // As behind a pooler that hands each transaction to another session.
      through: (session) => ({
        ...session,
        all: async (sql, ...values) =>
          /pg_backend_pid/.test(sql) ? [] : await session.all(sql, ...values),
      }),
    })
    take(turns, 'fooled')
    await expect
      .poll(() => failures)
      .toEqual([expect.stringMatching(/does not show the advisory lock/)])
    expect(checker.begun).toEqual([])
  })

  test('a database that cannot be reached is told once, and waited for', async () => {
    const failures: unknown[] = []
    const turns = turnsAt({ host: '/nowhere', port: 5432, database }, 'lost', {
      onFailure: (error) => failures.push(error),
    })
    opened.push(turns)
    take(turns, 'lost')
    await expect.poll(() => failures).toEqual([expect.objectContaining({ code: 'UNAVAILABLE' })])
    await expect(turns.holders()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(checker.begun).toEqual([])
  })
})
