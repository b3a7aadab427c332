/** Two servers on one database: what they do at the same time ends as if one had done it after the other. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CreateEntryResult, Store } from '../../../../server/store/store.ts'
import { emptyBundle } from '../../../../spiffe/bundle.ts'
import { withPostgres } from '../../../processes/postgres.ts'
import { idOf, newEntry, selectorsOf } from '../../entries/sample-entry.ts'
import { bundle, partner, vendor } from '../sample-bundle.ts'
import { emptyDatabase, openPostgresStore } from './open-for-test.ts'

const DATABASE = 'several'
const ROUNDS = 15
const rounds = Array.from({ length: ROUNDS }, (_, i) => i)

const kinds = (results: readonly { readonly kind: string }[]) => results.map(({ kind }) => kind)

withPostgres('two stores on one PostgreSQL', (postgres) => {
  let one: Store
  let two: Store
  let isThere = false

  beforeEach(async () => {
    if (isThere) await emptyDatabase(postgres(), DATABASE)
    else await postgres().createDatabase(DATABASE)
    isThere = true
    // Both set the schema up, or find it: neither may disturb the other.
    ;[one, two] = await Promise.all([
      openPostgresStore(postgres(), DATABASE),
      openPostgresStore(postgres(), DATABASE),
    ])
  })
  afterEach(() => Promise.all([one.close(), two.close()]))

  /** Every record once, in order, without gaps. */
  const expectWholeLog = async () => {
    const latest = await one.changes.latest()
    const after = await two.changes.after(0, 1000)
    if (after.kind === 'pruned') throw new Error('the log was pruned')
    expect(after.changes.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: latest }, (_, i) => i + 1),
    )
  }

  test('of similar entries that both create at the same time, exactly one is created', async () => {
    for (const round of rounds) {
      const entry = newEntry({ spiffeId: idOf(`/round/${round}`) })
      const results = await Promise.all([
        one.entries.create([entry]),
        two.entries.create([entry]),
        one.entries.create([entry]),
        two.entries.create([entry]),
      ])
      expect(kinds(results.flat()).sort()).toEqual(['created', 'similar', 'similar', 'similar'])
      const ids = results
        .flat()
        .map((result) => (result as CreateEntryResult & { entry: { id: string } }).entry.id)
      expect(new Set(ids).size).toBe(1)
    }
    expect(await one.entries.count({})).toBe(ROUNDS)
    await expectWholeLog()
  })

  test('batches with the same entries in opposite order create each of them once', async () => {
    for (const round of rounds) {
      const batch = Array.from({ length: 20 }, (_, i) =>
        newEntry({ spiffeId: idOf(`/${round}/${i}`) }),
      )
      const results = await Promise.all([
        one.entries.create(batch),
        two.entries.create(batch.toReversed()),
      ])
      expect(kinds(results.flat()).filter((kind) => kind === 'created')).toHaveLength(20)
    }
    expect(await two.entries.count({})).toBe(ROUNDS * 20)
    await expectWholeLog()
  })

  test('more entries than are locked one by one are created once as well', async () => {
    const batch = Array.from({ length: 600 }, (_, i) => newEntry({ spiffeId: idOf(`/many/${i}`) }))
    const results = await Promise.all([
      one.entries.create(batch),
      two.entries.create(batch.slice(300, 310)),
      two.entries.create(batch),
    ])
    expect(kinds(results.flat()).filter((kind) => kind === 'created')).toHaveLength(600)
  })

  test('an entry ID that both choose at the same time is taken by one', async () => {
    for (const round of rounds) {
      const results = await Promise.all(
        [one, two].map((store, i) =>
          store.entries.create([newEntry({ id: `id-${round}`, spiffeId: idOf(`/${round}/${i}`) })]),
        ),
      )
      expect(kinds(results.flat()).sort()).toEqual(['created', 'id-taken'])
    }
  })

  test('a join token that both redeem at the same time is redeemed once', async () => {
    for (const round of rounds) {
      const token = `token-${round}`
      await one.joinTokens.create({ token, expiresAt: new Date(0) })
      const answers = await Promise.all([
        one.joinTokens.redeem(token),
        two.joinTokens.redeem(token),
        one.joinTokens.redeem(token),
        two.joinTokens.redeem(token),
      ])
      expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1)
    }
  })

  test('a join token that both create at the same time is created once', async () => {
    for (const round of rounds) {
      const token = { token: `token-${round}`, expiresAt: new Date(0) }
      const created = await Promise.all([
        one.joinTokens.create(token),
        two.joinTokens.create(token),
      ])
      expect(created.sort()).toEqual([false, true])
    }
  })

  test('changes of one bundle by both are all kept, the very first ones too', async () => {
    const addOne = (store: Store) =>
      store.bundles.update(partner, (current = emptyBundle(partner)) => ({
        ...current,
        sequenceNumber: current.sequenceNumber + 1,
      }))
    await Promise.all(rounds.flatMap(() => [addOne(one), addOne(two)]))
    expect((await one.bundles.find(partner))?.sequenceNumber).toBe(2 * ROUNDS)
    await expectWholeLog()
  })

  test('updates of one entry by both follow each other, and a removal ends them', async () => {
    await one.entries.create([newEntry({ id: 'x' })])
    const append = (store: Store) =>
      store.entries.update([{ id: 'x', change: (e) => ({ ...e, hint: `${e.hint}.` }) }])
    await Promise.all(rounds.flatMap(() => [append(one), append(two)]))
    expect(await two.entries.find('x')).toMatchObject({
      hint: '.'.repeat(2 * ROUNDS),
      revisionNumber: 2 * ROUNDS,
    })
    const [updated, removed] = await Promise.all([append(one), two.entries.remove(['x'])])
    expect(['updated', 'not-found']).toContain(updated[0]?.kind)
    expect(removed).toEqual([{ kind: 'removed', id: 'x' }])
    expect(await one.entries.find('x')).toBeUndefined()
    await expectWholeLog()
  })

  test('an entry is removed by one of those that remove it at the same time', async () => {
    for (const round of rounds) {
      const id = `id-${round}`
      await one.entries.create([newEntry({ id, spiffeId: idOf(`/${round}`) })])
      const results = await Promise.all([one.entries.remove([id]), two.entries.remove([id])])
      expect(kinds(results.flat()).sort()).toEqual(['not-found', 'removed'])
    }
  })

  test.for(['restrict', 'dissociate', 'delete'] as const)(
    'an entry that begins to federate while its bundle goes (%s) leaves nothing dangling',
    async (mode) => {
      for (const round of rounds) {
        await one.bundles.update(partner, () => bundle())
        const id = `id-${round}`
        const entry = newEntry({ id, spiffeId: idOf(`/${round}`), federatesWith: [partner] })
        const [[created], removed] = await Promise.all([
          one.entries.create([entry]),
          two.bundles.remove(partner, mode),
        ])
        const isThere = (await one.bundles.find(partner)) !== undefined
        const found = await one.entries.find(id)
        if (created?.kind === 'bundle-missing') {
          expect([removed.kind, isThere, found]).toEqual(['removed', false, undefined])
        } else {
          expect(created?.kind).toBe('created')
          if (mode === 'restrict') expect([removed.kind, isThere]).toEqual(['in-use', true])
          if (mode === 'delete') expect([removed.kind, found]).toEqual(['removed', undefined])
          if (mode === 'dissociate') {
            expect([removed.kind, found?.federatesWith]).toEqual(['removed', []])
          }
        }
        await one.entries.remove([id])
      }
      await expectWholeLog()
    },
  )

  test('an entry that changes its federation while a bundle goes is not left with that bundle', async () => {
    for (const round of rounds) {
      await one.bundles.update(partner, () => bundle())
      await one.bundles.update(vendor, () => bundle(vendor))
      const id = `id-${round}`
      await one.entries.create([
        newEntry({ id, spiffeId: idOf(`/${round}`), federatesWith: [partner] }),
      ])
      await Promise.all([
        one.entries.update([{ id, change: (e) => ({ ...e, federatesWith: [vendor] }) }]),
        two.bundles.remove(partner, 'delete'),
      ])
      const found = await two.entries.find(id)
      if (found !== undefined) expect(found.federatesWith).toEqual([vendor])
    }
  })

  test('a ban and an attestation at the same time leave the node banned', async () => {
    for (const round of rounds) {
      const id = idOf(`/spire/agent/n/${round}`)
      const attest = (store: Store, serialNumber: string) =>
        store.nodes.attest({
          ...{ id, attestationType: 'x', serialNumber, expiresAt: new Date(0), canReattest: true },
          selectors: selectorsOf('a:1', `b:${serialNumber}`),
        })
      await attest(one, '1')
      await Promise.all([two.nodes.ban(id), attest(one, '2'), attest(two, '3')])
      expect((await one.nodes.find(id))?.serialNumber).toBe('')
    }
    await expectWholeLog()
  })

  test('a renewed SVID is put in use by one of two that see its first use', async () => {
    const id = idOf('/spire/agent/n/one')
    const attestation = { id, attestationType: 'x', expiresAt: new Date(0), canReattest: true }
    await one.nodes.attest({ ...attestation, serialNumber: '1', selectors: [] })
    await one.nodes.renew({ id, serialNumber: '1', newSerialNumber: '' }, '2', new Date(60_000))
    const results = await Promise.all([one.nodes.promote(id, '2'), two.nodes.promote(id, '2')])
    expect(kinds(results).sort()).toEqual(['not-found', 'stored'])
    expect(await two.nodes.find(id)).toMatchObject({ serialNumber: '2', newSerialNumber: '' })
  })

  test('what one commits, the other can read at once, and hears of', async () => {
    const heard: number[] = []
    two.changes.onCommit((sequence) => heard.push(sequence))
    await one.entries.create([newEntry({ id: 'x' })])
    expect(await two.entries.find('x')).toBeDefined()
    expect(await two.changes.latest()).toBe(1)
    await expect.poll(() => heard).toContain(1)
  })

  test('expired entries are pruned once, however many do it', async () => {
    const old = (i: number) =>
      newEntry({ id: `old-${i}`, spiffeId: idOf(`/old/${i}`), expiresAt: new Date(i * 1000) })
    await one.entries.create(Array.from({ length: 40 }, (_, i) => old(i)))
    const now = new Date(100_000)
    const pruned = await Promise.all([
      one.entries.pruneExpired(now, 40),
      two.entries.pruneExpired(now, 40),
    ])
    expect(
      pruned
        .flat()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(Array.from({ length: 40 }, (_, i) => `old-${i}`).sort())
    await expectWholeLog()
  })
})
