import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Connection, connect } from '../../../../server/store/sqlite/connection.ts'
import { createWriteQueue, type WriteQueue } from '../../../../server/store/sqlite/write-queue.ts'

let database: Sqlite.Database
let connection: Connection
let queue: WriteQueue
let commits: number

beforeEach(() => {
  database = new Sqlite(':memory:')
  database.exec('create table t (value text unique)')
  connection = connect(database)
  commits = 0
  queue = createWriteQueue({
    connection,
    recordChange: (kind, key) => connection.run('insert into t values (?)', `${kind} ${key}`),
    onCommit: () => {
      commits += 1
    },
  })
})

afterEach(() => connection.close())

const insert = (value: string) =>
  queue.write(() => connection.run('insert into t values (?)', value).changes)

const values = () =>
  connection.all<{ value: string }>('select value from t order by rowid').map(({ value }) => value)

const unavailable = expect.objectContaining({ code: 'UNAVAILABLE' })

test('writes called together share one commit and keep their order', async () => {
  await Promise.all(['a', 'b', 'c'].map((key) => queue.write((record) => record('entry', key))))
  expect(values()).toEqual(['entry a', 'entry b', 'entry c'])
  expect(commits).toBe(1)
})

test('no commit is announced when nothing was recorded', async () => {
  await insert('a')
  expect(commits).toBe(0)
})

test('a write sees those before it, though they are not committed yet', async () => {
  const [, seen] = await Promise.all([insert('a'), queue.write(() => values())])
  expect(seen).toEqual(['a'])
})

test('a write that fails half way is undone alone', async () => {
  const half = queue.write(() => {
    connection.run('insert into t values (?)', 'half')
    throw new RangeError('in the middle')
  })
  const results = await Promise.allSettled([insert('a'), half, insert('b')])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(values()).toEqual(['a', 'b'])
})

test('a broken constraint is a bug of ours, not a condition to wait for', async () => {
  const results = await Promise.allSettled([insert('a'), insert('a')])
  expect(results[1]).toMatchObject({
    status: 'rejected',
    reason: { code: expect.stringMatching(/^SQLITE_CONSTRAINT/) },
  })
})

test('on a full disk every write without a commit is refused, and later ones are done', async () => {
  const pages = database.pragma('page_count', { simple: true })
  database.pragma(`max_page_count = ${pages}`)
  const big = 'x'.repeat(100_000)
  const results = await Promise.allSettled([insert('a'), insert(big), insert('b')])
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toEqual(unavailable)
  }
  expect(results[1]?.status).toBe('rejected')
  const stored = ['a', big, 'b'].filter((_, i) => results[i]?.status === 'fulfilled')
  expect(values()).toEqual(stored)
  database.pragma('max_page_count = 1000000')
  await insert(`${big}y`)
  expect(values()).toEqual([...stored, `${big}y`])
})

test('when the commit itself fails, no write of the group is acknowledged', async () => {
  database.pragma('foreign_keys = on')
  database.exec('create table p (id integer primary key)')
  database.exec('create table c (p integer references p deferrable initially deferred)')
  const orphan = queue.write(() => connection.run('insert into c values (1)'))
  const results = await Promise.allSettled([insert('a'), orphan])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(values()).toEqual([])
  await insert('b')
  expect(values()).toEqual(['b'])
})

test('a closed queue refuses new writes and has finished the old ones', async () => {
  const waiting = insert('a')
  await queue.close()
  expect(values()).toEqual(['a'])
  await expect(waiting).resolves.toBe(1)
  await expect(insert('b')).rejects.toThrow(unavailable)
})
