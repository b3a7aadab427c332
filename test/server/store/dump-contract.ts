/** The contract of dumps: what one store held, another holds after loading it, whatever engine each is of. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import {
  DUMPED_TABLE_NAMES,
  type DumpRow,
  type LoadOptions,
  SEQUENCE_JUMP,
} from '../../../server/store/dump.ts'
import type { Store } from '../../../server/store/store.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { idOf, newEntry, selectorsOf } from '../entries/sample-entry.ts'
import { bundle, partner, vendor } from './sample-bundle.ts'

/** Opens an empty store; the contract closes it. */
export type OpenEmpty = () => Promise<Store>

const SERIAL = '1234567890123456789012'
const page = { size: 1_000, token: '' }
const fresh: LoadOptions = { replaces: false, sequence: SEQUENCE_JUMP }

async function* rowsOf(store: Store): AsyncGenerator<readonly DumpRow[], void, undefined> {
  await using snapshot = await store.dump.snapshot()
  yield* snapshot.rows(DUMPED_TABLE_NAMES)
}

async function contentOf({ entries, nodes, bundles, federation, caJournal }: Store) {
  return {
    entries: (await entries.list({}, page)).items,
    byWeb: (
      await entries.list({ selectors: { match: 'any', values: selectorsOf('unix:uid:1') } }, page)
    ).items.map(({ id }) => id),
    byPartner: await entries.count({ federatesWith: { match: 'any', values: [partner] } }),
    nodes: (await nodes.list({}, page)).items,
    nodesByZone: await nodes.count({
      selectors: { match: 'any', values: selectorsOf('zone:a') },
    }),
    bundles: (await bundles.list(page)).items,
    federation: (await federation.list(page)).items,
    journal: Buffer.from((await caJournal.load('server')) ?? []).toString('hex'),
  }
}

async function fill(store: Store): Promise<void> {
  await store.bundles.update(partner, () => bundle())
  await store.federation.create(
    {
      trustDomain: vendor,
      endpointUrl: 'https://vendor.org/bundle',
      profile: { kind: 'https_spiffe', endpointId: idOf('/endpoint') },
    },
    bundle(vendor),
  )
  await store.entries.create([
    newEntry({ id: 'plain' }),
    newEntry({
      ...{
        id: 'full',
        spiffeId: idOf('/full'),
        selectors: selectorsOf('unix:uid:1', 'unix:gid:"é'),
      },
      ...{ federatesWith: [partner, vendor], admin: true, downstream: true, hint: 'интерн' },
      ...{ expiresAt: new Date('2031-01-01T00:00:00Z'), dnsNames: ['b.example', 'a.example'] },
      ...{ x509SvidTtlSeconds: 60, jwtSvidTtlSeconds: 30, jwtSvidIncludeJti: true },
    }),
  ])
  await store.entries.update([{ id: 'plain', change: (entry) => ({ ...entry, hint: 'changed' }) }])
  const attest = (name: string) =>
    store.nodes.attest({
      ...{
        id: idOf(`/spire/agent/${name}`),
        attestationType: 'x509pop',
        serialNumber: SERIAL,
      },
      ...{ expiresAt: new Date('2030-02-01T00:00:00Z'), canReattest: name !== 'two' },
      selectors: selectorsOf('zone:a', 'zone:b'),
    })
  await attest('one')
  await attest('two')
  const two = { id: idOf('/spire/agent/two'), serialNumber: SERIAL, newSerialNumber: '' }
  await store.nodes.renew(two, '99', new Date('2030-03-01T00:00:00Z'))
  await store.nodes.ban(idOf('/spire/agent/one'))
  await store.caJournal.save('server', new Uint8Array([0, 255, 1, 10]))
  await store.joinTokens.create({
    token: 'secret-token',
    expiresAt: new Date('2031-01-01T00:00:00Z'),
  })
}

/** What is the business of the engine that writes and of the engine that loads alone; pairs of two need less. */
export type Extent = 'whole' | 'content alone'

export function dumpContract(
  name: string,
  openSource: OpenEmpty,
  openTarget: OpenEmpty,
  extent: Extent,
): void {
  describe(name, () => {
    const opened: Store[] = []
    const keep = (store: Store) => {
      opened.push(store)
      return store
    }
    const filled = async () => {
      const store = keep(await openSource())
      await fill(store)
      return store
    }
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
    })

    test('everything is as it was: fields, orders, and what filters find', async () => {
      const source = await filled()
      const target = keep(await openTarget())
      await target.dump.load(rowsOf(source), fresh)
      expect(await contentOf(target)).toEqual(await contentOf(source))
      expect(await target.dump.count()).toEqual(await source.dump.count())
    })

    test('whoever stops reading in the middle reads it all the next time', async () => {
      const source = await filled()
      await using snapshot = await source.dump.snapshot()
      for await (const _ of snapshot.rows(DUMPED_TABLE_NAMES)) break
      const tables = new Set<string>()
      for await (const batch of snapshot.rows(DUMPED_TABLE_NAMES)) {
        for (const { table } of batch) tables.add(table)
      }
      expect([...tables]).toEqual(DUMPED_TABLE_NAMES)
    })

    test('a store that was loaded goes on as any other', async () => {
      const target = keep(await openTarget())
      await target.dump.load(rowsOf(await filled()), fresh)
      // similar entries, bundles in use and bans are still known
      const again = newEntry({ id: 'again' })
      const created = await target.entries.create([
        again,
        newEntry({ id: 'new', spiffeId: idOf('/new') }),
      ])
      expect(created.map(({ kind }) => kind)).toEqual(['similar', 'created'])
      expect(await target.bundles.remove(partner, 'restrict')).toEqual({
        kind: 'in-use',
        entryCount: 1,
      })
      expect((await target.entries.list({}, page)).items.map(({ id }) => id)).toEqual([
        'plain',
        'full',
        'new',
      ])
      const one = { id: idOf('/spire/agent/one'), serialNumber: '1', newSerialNumber: '' }
      const node = await target.nodes.renew(one, '5', new Date('2030-05-01T00:00:00Z'))
      expect(node).toEqual({ kind: 'banned' })
    })

    if (extent === 'content alone') return

    test('join tokens do not come back: one that was used would work a second time', async () => {
      const target = keep(await openTarget())
      await target.dump.load(rowsOf(await filled()), fresh)
      expect(await target.joinTokens.redeem('secret-token')).toBeUndefined()
    })

    test('the change log goes on beyond every sequence that was given, and says to load anew', async () => {
      const source = await filled()
      const before = await source.changes.latest()
      const target = keep(await openTarget())
      await target.dump.load(rowsOf(source), { replaces: false, sequence: before + SEQUENCE_JUMP })
      expect(await target.changes.latest()).toBe(before + SEQUENCE_JUMP)
      expect(await target.changes.after(before, 10)).toEqual({ kind: 'pruned' })
      await target.bundles.update(parseTrustDomain('later.org'), () =>
        bundle(parseTrustDomain('later.org')),
      )
      expect(await target.changes.after(before + SEQUENCE_JUMP, 10)).toMatchObject({
        kind: 'changes',
        changes: [{ sequence: before + SEQUENCE_JUMP + 1, key: 'later.org' }],
      })
    })

    test('a store that is not empty is left alone, unless it may be replaced', async () => {
      const source = await filled()
      const target = keep(await openTarget())
      await target.entries.create([newEntry({ id: 'own' })])
      await target.joinTokens.create({
        token: 'own-token',
        expiresAt: new Date('2031-01-01T00:00:00Z'),
      })
      const before = await contentOf(target)
      await expect(target.dump.load(rowsOf(source), fresh)).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
        message: 'the store is not empty: it has rows (1 in entries)',
      })
      expect(await contentOf(target)).toEqual(before)

      await target.dump.load(rowsOf(source), { replaces: true, sequence: 0 })
      expect(await contentOf(target)).toEqual(await contentOf(source))
      expect(await target.joinTokens.redeem('own-token')).toBeUndefined()
      expect(await target.changes.after(1, 10)).toEqual({ kind: 'pruned' })
    })

    test.each([
      ['ends with an error', []],
      ['holds a row that refers to nothing', ['bundles']],
      ['holds a row twice', ['twice']],
    ] as const)(
      'of a dump that %s, nothing is loaded, and the store goes on',
      async (_, [fault]) => {
        const source = await filled()
        const target = keep(await openTarget())
        async function* faulty() {
          for await (const batch of rowsOf(source)) {
            const left = batch.filter(({ table }) => table !== fault)
            yield fault === 'twice' ? [...left, ...left] : left
          }
          if (fault === undefined) throw new IdentityError('REQUEST_INVALID', 'the file ends here')
        }
        await expect(target.dump.load(faulty(), fresh)).rejects.toThrow()
        const none = DUMPED_TABLE_NAMES.map((table) => [table, 0])
        expect(await target.dump.count()).toEqual(Object.fromEntries(none))
        await target.dump.load(rowsOf(source), fresh)
        expect(await contentOf(target)).toEqual(await contentOf(source))
      },
    )

    test('a snapshot under a stream of writes holds all that was acknowledged before, and nothing that refers to nothing', async () => {
      const source = keep(await openSource())
      const acknowledged: string[] = []
      let isOver = false
      const writing = (async () => {
        for (let number = 0; !isOver; number += 1) {
          const domain = parseTrustDomain(`d${number}.org`)
          await source.bundles.update(domain, () => bundle(domain))
          const id = `e${number}`
          const spiffeId = idOf(`/w${number}`)
          await source.entries.create([newEntry({ id, spiffeId, federatesWith: [domain] })])
          acknowledged.push(id)
        }
      })()
      while (acknowledged.length < 20) await nextTurn()
      const before = [...acknowledged]
      const domains = new Set<unknown>()
      const ids = new Set<unknown>()
      {
        await using snapshot = await source.dump.snapshot()
        for await (const batch of snapshot.rows(DUMPED_TABLE_NAMES)) {
          for (const { table, values } of batch) {
            if (table === 'bundles') domains.add(values[0])
            if (table !== 'entries') continue
            ids.add(values[1])
            expect(domains.has(String(values[1]).replace('e', 'd').concat('.org'))).toBe(true)
          }
          await nextTurn()
        }
      }
      isOver = true
      await writing
      expect(before.filter((id) => !ids.has(id))).toEqual([])
      expect(acknowledged.length).toBeGreaterThan(before.length)
      // a prefix: of entries written one after the other none is missing before one that is there
      expect([...ids]).toEqual(Array.from({ length: ids.size }, (_, number) => `e${number}`))
    })
  })
}
