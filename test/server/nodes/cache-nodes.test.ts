import { afterEach, beforeEach, expect, test } from 'vitest'
import { cacheNodes, type NodeCache } from '../../../server/nodes/cache-nodes.ts'
import type { AttestedNode } from '../../../server/nodes/node.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { id } from '../an-entry.ts'

let store: Store
let cache: NodeCache
let asked: number
let heard: (ReadonlySet<string> | 'all')[]
const agent = id('/spire/agent/join_token/a')

beforeEach(async () => {
  store = await openStore({ path: ':memory:', clock: new FakeClock() })
  asked = 0
  heard = []
  cache = await cacheNodes({
    nodes: {
      find: (one) => {
        asked++
        return store.nodes.find(one)
      },
    },
    changes: store.changes,
    onNodes: (ids) => heard.push(ids),
    onFailure: (error) => expect.unreachable(String(error)),
  })
})
afterEach(async () => {
  cache[Symbol.dispose]()
  await store.close()
})

const fields = {
  attestationType: 'join_token',
  expiresAt: new Date('2027-01-01'),
  canReattest: false,
  selectors: [],
}
const attest = (serialNumber: string) => store.nodes.attest({ ...fields, id: agent, serialNumber })

/** Every commit has been looked through. */
const settled = () =>
  expect.poll(async () => {
    const before = asked
    await cache.find(agent)
    return asked - before
  })

test('the store is asked once for a node that does not change', async () => {
  await attest('1')
  await settled().toBe(0)
  const before = asked
  for (let n = 0; n < 10; n++) expect((await cache.find(agent))?.serialNumber).toBe('1')
  expect(asked).toBe(before)
})

test.for([
  ['a ban', () => store.nodes.ban(agent), ''],
  ['a new attestation', () => attest('2'), '2'],
] as const)(
  '%s is seen by the very next look after it was acknowledged',
  async ([, write, serial]) => {
    await attest('1')
    await settled().toBe(0)
    await write()
    expect((await cache.find(agent))?.serialNumber).toBe(serial)
  },
)

test('a deleted node is gone for the very next look', async () => {
  await attest('1')
  await settled().toBe(0)
  await store.nodes.remove(agent)
  expect(await cache.find(agent)).toBeUndefined()
})

test('a row read while it was being replaced is not kept', async () => {
  await attest('1')
  await settled().toBe(0)
  const writing = store.nodes.renew(
    { id: agent, serialNumber: '1', newSerialNumber: '' },
    '2',
    new Date('2027-02-01'),
  )
  await Promise.all([writing, cache.find(agent), cache.find(agent)])
  expect((await cache.find(agent))?.newSerialNumber).toBe('2')
})

test('many that ask right after a commit wait for one look at the log, and the store is not asked', async () => {
  await attest('1')
  const logLooks: PromiseWithResolvers<void>[] = []
  let [asked, tell] = [0, (_: number) => {}]
  using busy = await cacheNodes({
    nodes: {
      find: (one) => {
        asked += 1
        return store.nodes.find(one)
      },
    },
    changes: {
      ...store.changes,
      onCommit: (listener) => {
        tell = listener
        return () => {}
      },
      async after(place, limit) {
        const look = Promise.withResolvers<void>()
        logLooks.push(look)
        await look.promise
        return await store.changes.after(place, limit)
      },
    },
    onNodes: () => {},
    onFailure: (error) => expect(String(error)).toBe('Error: the log is away'),
  })
  await busy.find(agent)
  expect(asked).toBe(1)
  await store.joinTokens.create({ token: 't', expiresAt: new Date('2027-01-01') })
  await store.nodes.attest({ ...fields, id: id('/spire/agent/join_token/b'), serialNumber: '9' })
  tell(await store.changes.latest())
  const finds = Array.from({ length: 100 }, () => busy.find(agent))
  logLooks[0]?.resolve()
  expect(new Set((await Promise.all(finds)).map((node) => node?.serialNumber))).toEqual(
    new Set(['1']),
  )
  expect([asked, logLooks.length]).toEqual([1, 1])

  // A change to the node itself is never answered from memory, however many wait.
  await attest('2')
  tell(await store.changes.latest())
  const later = [busy.find(agent), busy.find(agent)]
  logLooks[1]?.resolve()
  expect((await Promise.all(later)).map((node) => node?.serialNumber)).toEqual(['2', '2'])

  // Nor is anything while the log cannot be read.
  await attest('3')
  tell(await store.changes.latest())
  const last = busy.find(agent)
  logLooks[2]?.reject(new Error('the log is away'))
  expect((await last)?.serialNumber).toBe('3')
})

test('nodes that change are named, and nothing else is', async () => {
  await attest('1')
  await store.joinTokens.create({ token: 't', expiresAt: new Date('2027-01-01') })
  await expect.poll(() => heard).toEqual([new Set([agent])])
})

test('while commits of other servers may go unheard, the store is asked each time', async () => {
  await attest('1')
  let hearing: number | undefined = 1
  let told: (sequence: number) => void = () => {}
  const tell = async () => told(await store.changes.latest())
  let asked = 0
  using cautious = await cacheNodes({
    nodes: {
      find: (id) => {
        asked += 1
        return store.nodes.find(id)
      },
    },
    changes: {
      ...store.changes,
      onCommit: (listener) => {
        told = listener
        return () => {}
      },
      hearing: () => hearing,
    },
    onNodes: () => {},
    onFailure: (error) => expect.unreachable(String(error)),
  })
  const serial = async () => (await cautious.find(agent))?.serialNumber
  expect([await serial(), await serial(), asked]).toEqual(['1', '1', 1])
  hearing = undefined
  await attest('2')
  expect([await serial(), await serial(), asked]).toEqual(['2', '2', 3])
  hearing = 2
  await tell()
  expect([await serial(), await serial(), asked]).toEqual(['2', '2', 4])
  // Lost and found again between two calls.
  await attest('3')
  hearing = 3
  expect([await serial(), await serial(), asked]).toEqual(['3', '3', 6])
  await tell()
  expect([await serial(), await serial(), asked]).toEqual(['3', '3', 7])
})

test('a node of which the caller says that it does not suit is never answered from memory', async () => {
  await attest('1')
  const isSecond = (node: AttestedNode) => node.serialNumber === '2'
  let asked = 0
  using unheard = await cacheNodes({
    nodes: {
      find: (id) => {
        asked += 1
        return store.nodes.find(id)
      },
    },
    changes: { ...store.changes, onCommit: () => () => {} },
    onNodes: () => {},
    onFailure: (error) => expect.unreachable(String(error)),
  })
  await unheard.find(agent)
  await attest('2')
  expect((await unheard.find(agent))?.serialNumber).toBe('1')
  expect((await unheard.find(agent, isSecond))?.serialNumber).toBe('2')
  expect((await unheard.find(agent, isSecond))?.serialNumber).toBe('2')
  expect(asked).toBe(2)
})

test('when the log was pruned under it, everything is forgotten and everybody is told', async () => {
  await attest('1')
  await settled().toBe(0)
  const found = await store.nodes.find(agent)
  using stale = await cacheNodes({
    nodes: { find: async () => found },
    changes: {
      latest: async () => 5,
      after: async () => ({ kind: 'pruned' }),
      onCommit: (listener) => {
        queueMicrotask(() => listener(9))
        return () => {}
      },
      hearing: () => 0,
    },
    onNodes: (ids) => heard.push(ids),
    onFailure: (error) => expect.unreachable(String(error)),
  })
  await stale.find(agent)
  await expect.poll(() => heard.at(-1)).toBe('all')
})

test('after a time unheard the log may go on at a lower place, and a ban there is not overlooked', async () => {
  const listeners = new Set<(sequence: number) => void>()
  let times: number | undefined = 1
  let records: readonly { sequence: number; key: string }[] = []
  const node = { id: agent, serialNumber: '1' } as AttestedNode
  let there: AttestedNode | undefined = node
  let questions = 0
  using standby = await cacheNodes({
    nodes: {
      find: async () => {
        questions++
        return there
      },
    },
    changes: {
      latest: async () => 100,
      hearing: () => times,
      after: async (sequence) => ({
        kind: 'changes',
        changes: records
          .filter((one) => one.sequence > sequence)
          .map((one) => ({ ...one, kind: 'node', at: new Date(0) })),
      }),
      onCommit: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    onNodes: () => {},
    onFailure: (error) => expect.unreachable(String(error)),
  })
  const commit = (sequence: number) => {
    for (const listener of listeners) listener(sequence)
  }
  await standby.find(agent)
  await standby.find(agent)
  expect(questions).toBe(1)
  times = undefined
  await standby.find(agent)
  times = 2 // a standby without the last five commits has become primary
  commit(95)
  await standby.find(agent)
  const before = questions
  await standby.find(agent)
  expect(questions).toBe(before)
  there = undefined
  records = [{ sequence: 96, key: agent }]
  commit(96)
  await expect.poll(() => standby.find(agent)).toBeUndefined()
})
