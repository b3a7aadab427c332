/** The contract of bundles: changed inside a transaction, and tied to the entries that federate with them. */
import { expect, test } from 'vitest'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { idOf, newEntry } from '../entries/sample-entry.ts'
import { bundle, partner, vendor } from './sample-bundle.ts'
import type { StoreUnderTest } from './store-under-test.ts'

export function bundleContract(underTest: () => StoreUnderTest): void {
  const bundles = () => underTest().store.bundles

  test('a bundle comes back as it was written', async () => {
    expect(await bundles().update(partner, () => bundle())).toEqual(bundle())
    expect(await bundles().find(partner)).toEqual(bundle())
    expect(await bundles().find(vendor)).toBeUndefined()
  })

  test('a change is given what is there, and what it returns is there afterwards', async () => {
    await bundles().update(partner, (current) => {
      expect(current).toBeUndefined()
      return bundle()
    })
    const next = await bundles().update(partner, (current) => ({
      ...(current ?? emptyBundle(partner)),
      sequenceNumber: (current?.sequenceNumber ?? 0) + 1,
    }))
    expect(next?.sequenceNumber).toBe(8)
  })

  test('changes called at the same time follow each other and none is lost', async () => {
    const addOne = () =>
      bundles().update(partner, (current = emptyBundle(partner)) => ({
        ...current,
        sequenceNumber: current.sequenceNumber + 1,
      }))
    await Promise.all(Array.from({ length: 50 }, addOne))
    expect((await bundles().find(partner))?.sequenceNumber).toBe(50)
  })

  test('a change to undefined or to the same object writes nothing', async () => {
    await bundles().update(partner, () => bundle())
    const before = await underTest().store.changes.latest()
    expect(await bundles().update(partner, (current) => current)).toEqual(bundle())
    expect(await bundles().update(partner, () => undefined)).toEqual(bundle())
    expect(await bundles().update(vendor, () => undefined)).toBeUndefined()
    expect(await underTest().store.changes.latest()).toBe(before)
  })

  test('a bundle cannot be filed under another trust domain', async () => {
    await expect(bundles().update(vendor, () => bundle(partner))).rejects.toThrow(
      /partner\.org was about to be stored as vendor\.org/,
    )
    expect(await bundles().find(vendor)).toBeUndefined()
  })

  test('a change that throws leaves the bundle as it was', async () => {
    await bundles().update(partner, () => bundle())
    const failing = bundles().update(partner, () => {
      throw new RangeError('refused')
    })
    await expect(failing).rejects.toThrow(RangeError)
    expect(await bundles().find(partner)).toEqual(bundle())
  })

  test('bundles are listed by name, in pages without one too many', async () => {
    await bundles().update(vendor, () => bundle(vendor))
    await bundles().update(partner, () => bundle(partner))
    const first = await bundles().list({ size: 1, token: '' })
    expect(first.items).toEqual([bundle(partner)])
    const second = await bundles().list({ size: 1, token: first.nextToken })
    expect(second).toEqual({ items: [bundle(vendor)], nextToken: '' })
    expect(await bundles().count()).toBe(2)
  })

  test('a removed bundle is gone, and removing it again says so', async () => {
    await bundles().update(partner, () => bundle())
    expect(await bundles().remove(partner, 'restrict')).toEqual({ kind: 'removed' })
    expect(await bundles().find(partner)).toBeUndefined()
    expect(await bundles().remove(partner, 'delete')).toEqual({ kind: 'not-found' })
  })

  const federate = async () => {
    await bundles().update(partner, () => bundle(partner))
    await bundles().update(vendor, () => bundle(vendor))
    const { entries } = underTest().store
    await entries.create([
      newEntry({ id: 'both', federatesWith: [partner, vendor] }),
      newEntry({ id: 'one', spiffeId: idOf('/one'), federatesWith: [partner] }),
      newEntry({ id: 'none', spiffeId: idOf('/none') }),
    ])
    return entries
  }

  test('a bundle in use is kept by default', async () => {
    await federate()
    expect(await bundles().remove(partner, 'restrict')).toEqual({ kind: 'in-use', entryCount: 2 })
    expect(await bundles().find(partner)).toEqual(bundle(partner))
  })

  test('dissociating takes the trust domain out of its entries and gives them a new revision', async () => {
    const entries = await federate()
    expect(await bundles().remove(partner, 'dissociate')).toEqual({ kind: 'removed' })
    const { items } = await entries.list({}, { size: 10, token: '' })
    expect(items.map((entry) => [entry.id, entry.federatesWith, entry.revisionNumber])).toEqual([
      ['both', [vendor], 1],
      ['one', [], 1],
      ['none', [], 0],
    ])
    const match = { match: 'any', values: [partner] } as const
    expect(await entries.count({ federatesWith: match })).toBe(0)
  })

  test('deleting removes the entries that federate with it, and only those', async () => {
    const entries = await federate()
    expect(await bundles().remove(partner, 'delete')).toEqual({ kind: 'removed' })
    const { items } = await entries.list({}, { size: 10, token: '' })
    expect(items.map(({ id }) => id)).toEqual(['none'])
  })

  test('an entry that stops federating no longer holds the bundle', async () => {
    const entries = await federate()
    const ids = ['both', 'one']
    await entries.update(
      ids.map((id) => ({ id, change: (e) => ({ ...e, federatesWith: [vendor] }) })),
    )
    expect(await bundles().remove(partner, 'restrict')).toEqual({ kind: 'removed' })
  })
}
