import { expect, test } from 'vitest'
import type { Session } from '../../../../server/store/postgres/session.ts'
import { ConnectionLost } from '../../../../server/store/postgres/store-error.ts'
import { createWriteQueue } from '../../../../server/store/postgres/write-queue.ts'
import { IdentityError } from '../../../../spiffe/error.ts'

/** A connection that writes down what it is told, and carries nothing out. */
function recording() {
  const told: string[] = []
  const session: Session = {
    all: async () => [],
    one: async <Row>(sql: string) => {
      told.push(sql.includes('change_log') ? 'record' : sql)
      return { latest: 7 } as Row // the only row that the queue asks for
    },
    run: async (sql) => {
      told.push(sql.includes('advisory') ? 'lock' : sql)
      return 0
    },
  }
  const heard: number[] = []
  const queueOn = (write: <T>(work: (session: Session) => Promise<T>) => Promise<T>) =>
    createWriteQueue({
      connection: { write },
      clock: { now: () => new Date(0), sleep: () => Promise.reject(new Error('never sleeps')) },
      where: 'db at here',
      onCommit: (sequence) => heard.push(sequence),
    })
  const queue = queueOn(async (work) => {
    told.push('begin')
    const value = await work(session)
    told.push('commit')
    return value
  })
  return { told, session, heard, queue, queueOn }
}

const unavailable = (message: RegExp) =>
  expect.objectContaining({ code: 'UNAVAILABLE', message: expect.stringMatching(message) })

test('writes called together share one transaction, and records are its last statement', async () => {
  const { queue, told, heard } = recording()
  const writes = ['a', 'b'].map((name) =>
    queue.write([`node/${name}`], async (session) => {
      session.record('node', name)
      await session.run(name)
      return name
    }),
  )
  expect(await Promise.all(writes)).toEqual(['a', 'b'])
  expect(told).toEqual(['begin', 'lock', 'a', 'b', 'record', 'commit'])
  expect(heard).toEqual([7])
})

test('nothing is locked, recorded or announced where nothing asks for it', async () => {
  const { queue, told, heard } = recording()
  await queue.write([], (session) => session.run('a'))
  expect(told).toEqual(['begin', 'a', 'commit'])
  expect(heard).toEqual([])
})

test('a write that fails is undone alone: the group is done again, with a savepoint for each', async () => {
  const { queue, told } = recording()
  const results = await Promise.allSettled([
    queue.write([], (session) => session.run('a')),
    queue.write([], async (session) => {
      await session.run('half')
      throw new IdentityError('PRECONDITION_FAILED', 'no')
    }),
    queue.write([], (session) => session.run('b')),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(results[1]).toMatchObject({ reason: { code: 'PRECONDITION_FAILED' } })
  expect(told.slice(told.lastIndexOf('begin'))).toEqual([
    ...['begin', 'savepoint one_write', 'a', 'release one_write'],
    ...['savepoint one_write', 'half', 'rollback to one_write', 'release one_write'],
    ...['savepoint one_write', 'b', 'release one_write', 'commit'],
  ])
})

test('the records of a write that failed are forgotten with it', async () => {
  const { queue, told, heard } = recording()
  const failing = queue.write([], async (session) => {
    session.record('entry', 'half')
    throw new RangeError('a bug')
  })
  const other = queue.write([], (session) => session.run('a'))
  await expect(failing).rejects.toThrow(RangeError)
  await other
  expect(told).not.toContain('record')
  expect(heard).toEqual([])
})

test('a connection that was lost fails every write of the group, and none is tried apart', async () => {
  const { session, queueOn } = recording()
  let transactions = 0
  const queue = queueOn(async (work) => {
    transactions += 1
    return await work(session)
  })
  const lost = () => Promise.reject(new ConnectionLost('gone'))
  const results = await Promise.allSettled([queue.write([], lost), queue.write([], async () => 1)])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(transactions).toBe(1)
})

test('a commit that fails acknowledges nothing, and the queue goes on', async () => {
  const { session, queueOn } = recording()
  let isBroken = true
  const queue = queueOn(async (work) => {
    const value = await work(session)
    if (isBroken) throw new IdentityError('UNAVAILABLE', 'lost at the commit')
    return value
  })
  const results = await Promise.allSettled([1, 2].map((n) => queue.write([], async () => n)))
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  isBroken = false
  expect(await queue.write([], async () => 3)).toBe(3)
})

test('more writes than may wait are refused, and those that wait are done', async () => {
  const { queue } = recording()
  const writes = Array.from({ length: 10_001 }, (_, i) => queue.write([], async () => i))
  const results = await Promise.allSettled(writes)
  const refused = results.filter(({ status }) => status === 'rejected')
  expect(refused).toEqual([{ status: 'rejected', reason: unavailable(/10000 writes are waiting/) }])
})

test('a closed queue refuses new writes and has finished the old ones', async () => {
  const { queue, told } = recording()
  const waiting = queue.write([], (session) => session.run('a'))
  await queue.close()
  expect(told).toContain('commit')
  await waiting
  await expect(queue.write([], async () => 1)).rejects.toThrow(unavailable(/the store is closed/))
})

test('writes of very many names are not put together with others', async () => {
  const { queue, told } = recording()
  const many = Array.from({ length: 300 }, (_, i) => `entry/${i}` as const)
  await Promise.all([
    queue.write(many, (session) => session.run('many')),
    queue.write(['entry/x'], (session) => session.run('one')),
  ])
  expect(told.filter((text) => text !== 'lock')).toEqual([
    ...['begin', 'many', 'commit', 'begin', 'one', 'commit'],
  ])
})
