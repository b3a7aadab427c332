/** The contract of the change log: one record per write, in its transaction, in order, without gaps. */
import { expect, test } from 'vitest'
import { joinTokenAlias } from '../../../server/entries/entry.ts'
import { type Change, MAX_CHANGES } from '../../../server/store/change-log.ts'
import { idOf, newEntry } from '../entries/sample-entry.ts'
import { bundle, partner } from './sample-bundle.ts'
import { START, type StoreUnderTest } from './store-under-test.ts'

const agent = idOf('/spire/agent/join_token/abc')
const later = new Date(START.getTime() + 3_600_000)

const attestation = {
  id: agent,
  attestationType: 'join_token',
  serialNumber: '1',
  expiresAt: START,
  canReattest: false,
  selectors: [],
}

const many = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, i) =>
    newEntry({ id: `${prefix}${i}`, spiffeId: idOf(`/${prefix}${i}`) }),
  )

export function changeLogContract(underTest: () => StoreUnderTest): void {
  const changesAfter = async (sequence: number, limit = 100): Promise<readonly Change[]> => {
    const after = await underTest().store.changes.after(sequence, limit)
    if (after.kind === 'pruned') throw new Error('the log was pruned')
    return after.changes
  }

  /** The records an action leaves, as `kind key`. */
  const recordsOf = async (act: () => Promise<unknown>): Promise<readonly string[]> => {
    const before = await underTest().store.changes.latest()
    await act()
    return (await changesAfter(before)).map(({ kind, key }) => `${kind} ${key}`)
  }

  test('is empty at first', async () => {
    expect(await underTest().store.changes.latest()).toBe(0)
    expect(await changesAfter(0)).toEqual([])
  })

  test('a record has a sequence, what changed, and when', async () => {
    await underTest().store.entries.create([newEntry({ id: 'x' })])
    expect(await changesAfter(0)).toEqual([{ sequence: 1, kind: 'entry', key: 'x', at: START }])
  })

  test('every write of an entry leaves a record, and nothing else does', async () => {
    const { entries, bundles } = underTest().store
    const expired = newEntry({ id: 'old', spiffeId: idOf('/old'), expiresAt: new Date(0) })
    const records = await recordsOf(async () => {
      await entries.create([newEntry({ id: 'x' }), newEntry({ id: 'similar' }), expired])
      await entries.update([
        { id: 'x', change: (e) => e },
        { id: 'gone', change: (e) => e },
      ])
      await entries.pruneExpired(START, 10)
      await bundles.update(partner, () => bundle())
      await entries.update([{ id: 'x', change: (e) => ({ ...e, federatesWith: [partner] }) }])
      await bundles.remove(partner, 'dissociate')
      await entries.remove(['x', 'gone'])
      await entries.find('x')
    })
    expect(records).toEqual([
      'entry x',
      'entry old',
      'entry x',
      'entry old',
      'bundle partner.org',
      'entry x',
      'entry x',
      'bundle partner.org',
      'entry x',
    ])
  })

  test('every write of a node leaves a record', async () => {
    const { nodes, entries } = underTest().store
    const records = await recordsOf(async () => {
      await nodes.attest(attestation)
      await nodes.setAgentVersion(agent, '1')
      await nodes.renew({ id: agent, serialNumber: '1', newSerialNumber: '' }, '2', later)
      await nodes.promote(agent, '2')
      await nodes.ban(agent)
      await entries.create([{ ...joinTokenAlias(agent, idOf('/a')), id: 'alias' }])
      await nodes.remove(agent)
      await nodes.attest({ ...attestation, expiresAt: new Date(0) })
      await nodes.pruneExpired({
        expiredBefore: START,
        includeNonReattestable: true,
        limit: 1,
      })
    })
    const node = `node ${agent}`
    expect(records).toEqual([
      ...Array.from({ length: 5 }, () => node),
      'entry alias',
      'entry alias',
      ...Array.from({ length: 3 }, () => node),
    ])
  })

  test('join tokens and journals leave no record: nobody keeps them in memory', async () => {
    const { joinTokens, caJournal } = underTest().store
    const records = await recordsOf(async () => {
      await joinTokens.create({ token: 'a', expiresAt: later })
      await joinTokens.redeem('a')
      await caJournal.save('server', new Uint8Array([1]))
    })
    expect(records).toEqual([])
  })

  test('a write that fails leaves no record and no gap', async () => {
    const { entries, bundles } = underTest().store
    await entries.create([newEntry({ id: 'a' })])
    const failing = bundles.update(partner, () => {
      throw new RangeError('refused')
    })
    const halfDone = entries.update([
      { id: 'a', change: (e) => e },
      {
        id: 'a',
        change: () => {
          throw new TypeError('a bug')
        },
      },
    ])
    await Promise.allSettled([failing, halfDone])
    await entries.create([newEntry({ id: 'b', spiffeId: idOf('/b') })])
    expect((await changesAfter(0)).map(({ sequence }) => sequence)).toEqual([1, 2])
  })

  test('sequences of writes called at the same time have no gaps and follow the calls', async () => {
    const { entries } = underTest().store
    await Promise.all(many(200, 'e').map((entry) => entries.create([entry])))
    const changes = await changesAfter(0, 500)
    expect(changes.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 200 }, (_, i) => i + 1),
    )
    expect(changes.map(({ key }) => key)).toEqual(Array.from({ length: 200 }, (_, i) => `e${i}`))
  })

  test('reading goes on from any place, and a limit cuts what is read at once', async () => {
    await underTest().store.entries.create(many(5, 'e'))
    expect((await changesAfter(1, 2)).map(({ key }) => key)).toEqual(['e1', 'e2'])
    expect(await changesAfter(5)).toEqual([])
    expect(await changesAfter(99)).toEqual([])
  })

  test('no more records are handed out at once than the bound', async () => {
    await underTest().store.entries.create(many(MAX_CHANGES + 1, 'e'))
    expect(await changesAfter(0, MAX_CHANGES * 2)).toHaveLength(MAX_CHANGES)
  })

  test('listeners hear of every commit with records after it can be read, until they stop', async () => {
    const { changes, entries, joinTokens } = underTest().store
    const heard: number[] = []
    const stop = changes.onCommit((sequence) => heard.push(sequence))
    await entries.create(many(2, 'a'))
    expect(heard).toEqual([2])
    await entries.create([newEntry({ id: 'similar', spiffeId: idOf('/a0') })])
    await joinTokens.create({ token: 'a', expiresAt: later })
    expect(heard).toEqual([2])
    await entries.create(many(1, 'b'))
    stop()
    await entries.create(many(1, 'c'))
    expect(heard).toEqual([2, 3])
  })

  test('a function that listens twice is called twice, and stops once per stop', async () => {
    const { changes, entries } = underTest().store
    const heard: number[] = []
    const listener = (sequence: number) => heard.push(sequence)
    const [stop] = [changes.onCommit(listener), changes.onCommit(listener)]
    await entries.create(many(1, 'a'))
    stop()
    stop()
    await entries.create(many(1, 'b'))
    expect(heard).toEqual([1, 1, 2])
  })

  test('a listener can read the records it is told of', async () => {
    const { changes, entries } = underTest().store
    const read = Promise.withResolvers<readonly Change[]>()
    changes.onCommit((sequence) => read.resolve(changesAfter(sequence - 1)))
    await entries.create([newEntry({ id: 'x' })])
    expect(await read.promise).toMatchObject([{ key: 'x' }])
  })

  test('old records are pruned, no more than asked, and readers left behind are told', async () => {
    const { changes, entries } = underTest().store
    await entries.create(many(3, 'old'))
    underTest().setNow(later)
    await entries.create(many(1, 'new'))
    expect(await changes.prune(later, 2)).toBe(2)
    expect(await changes.after(1, 10)).toEqual({ kind: 'pruned' })
    expect((await changesAfter(2)).map(({ key }) => key)).toEqual(['old2', 'new0'])
    expect(await changes.prune(later, 10)).toBe(1)
    expect(await changes.prune(later, 10)).toBe(0)
    expect(await changes.latest()).toBe(4)
  })

  test('a record written before the clock was set back is pruned with those around it, never alone', async () => {
    const { changes, entries } = underTest().store
    await entries.create(many(1, 'a'))
    underTest().setNow(later)
    await entries.create(many(1, 'b'))
    underTest().setNow(START)
    await entries.create(many(1, 'c'))
    expect(await changes.prune(later, 10)).toBe(1)
    expect((await changesAfter(1)).map(({ key }) => key)).toEqual(['b0', 'c0'])
  })

  test('sequences go on after everything was pruned', async () => {
    const { changes, entries } = underTest().store
    await entries.create(many(3, 'a'))
    expect(await changes.prune(later, 10)).toBe(3)
    expect(await changes.latest()).toBe(3)
    expect(await changesAfter(3)).toEqual([])
    await entries.create(many(1, 'b'))
    expect(await changes.latest()).toBe(4)
    expect(await changesAfter(3)).toMatchObject([{ sequence: 4 }])
  })
}
