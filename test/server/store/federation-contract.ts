/** The contract of federation relationships. */
import { expect, test } from 'vitest'
import type { FederationRelationship } from '../../../server/federation/relationship.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../spiffe/id.ts'
import { bundle, partner, vendor } from './sample-bundle.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const web = (trustDomain = partner): FederationRelationship => ({
  trustDomain,
  endpointUrl: 'https://partner.org/bundle',
  profile: { kind: 'https_web' },
})
const spiffe = (trustDomain = partner): FederationRelationship => ({
  trustDomain,
  endpointUrl: 'https://partner.org:8443',
  profile: { kind: 'https_spiffe', endpointId: parseSpiffeId('spiffe://vendor.org/spire/server') },
})

export function federationContract(underTest: () => StoreUnderTest): void {
  const store = () => underTest().store

  test('a relationship is found as it was created, of either profile', async () => {
    expect(await store().federation.create(web(), undefined)).toBe(true)
    expect(await store().federation.create(spiffe(vendor), undefined)).toBe(true)
    expect(await store().federation.find(partner)).toEqual(web())
    expect(await store().federation.find(vendor)).toEqual(spiffe(vendor))
    expect(await store().bundles.count()).toBe(0)
  })

  test('a bundle that comes with a relationship is written with it, over the one that was there', async () => {
    await store().bundles.update(partner, () => bundle(partner, { sequenceNumber: 1 }))
    await store().federation.create(web(), bundle(partner, { sequenceNumber: 2 }))
    expect(await store().bundles.find(partner)).toEqual(bundle(partner, { sequenceNumber: 2 }))
    await store().federation.update(partner, () => spiffe(), bundle(partner, { sequenceNumber: 3 }))
    expect(await store().bundles.find(partner)).toEqual(bundle(partner, { sequenceNumber: 3 }))
    const after = await store().changes.after(0, 10)
    expect(after.kind === 'changes' && after.changes.map(({ kind, key }) => [kind, key])).toEqual(
      Array(3).fill(['bundle', partner]),
    )
  })

  test('creating a second one is refused and writes nothing, not even the bundle', async () => {
    await store().federation.create(web(), undefined)
    expect(await store().federation.create(spiffe(), bundle())).toBe(false)
    expect(await store().federation.find(partner)).toEqual(web())
    expect(await store().bundles.find(partner)).toBeUndefined()
  })

  test('of many that create one at the same time, one does', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => store().federation.create(web(), undefined)),
    )
    expect(answers.filter((created) => created)).toHaveLength(1)
  })

  test('an update sees what is there, and what is not there is not updated', async () => {
    await store().federation.create(web(), undefined)
    const seen: FederationRelationship[] = []
    const change = (current: FederationRelationship) => {
      seen.push(current)
      return spiffe()
    }
    expect(await store().federation.update(partner, change, undefined)).toEqual(spiffe())
    expect(seen).toEqual([web()])
    expect(await store().federation.find(partner)).toEqual(spiffe())
    expect(await store().federation.update(vendor, change, bundle(vendor))).toBeUndefined()
    expect(await store().bundles.find(vendor)).toBeUndefined()
  })

  test('an update that would file it under another trust domain is refused as a bug', async () => {
    await store().federation.create(web(), undefined)
    await expect(store().federation.update(partner, () => web(vendor), bundle())).rejects.toThrow(
      'relationship with vendor.org was to be stored as partner.org',
    )
    expect(await store().federation.find(partner)).toEqual(web())
    expect(await store().bundles.find(partner)).toBeUndefined()
  })

  test('what is removed is gone, its bundle stays, and there is nothing to remove twice', async () => {
    await store().federation.create(web(), bundle())
    expect(await store().federation.remove(partner)).toBe(true)
    expect(await store().federation.find(partner)).toBeUndefined()
    expect(await store().bundles.find(partner)).toEqual(bundle())
    expect(await store().federation.remove(partner)).toBe(false)
  })

  test('the list comes in pages, in order of names', async () => {
    const names = ['a.org', 'b.org', 'c.org', 'd.org', 'e.org'].map(parseTrustDomain)
    for (const name of names.toReversed()) await store().federation.create(web(name), undefined)
    const seen: string[] = []
    let token = ''
    do {
      const page = await store().federation.list({ size: 2, token })
      seen.push(...page.items.map(({ trustDomain }) => trustDomain))
      token = page.nextToken
    } while (token !== '')
    expect(seen).toEqual(names)
    const bundles = await store().bundles.list({ size: 1, token: '' })
    expect(bundles.items).toEqual([])
  })

  test.for(['zz', Buffer.from('bundles/a.org').toString('base64url')])(
    'the token %j is none of this list',
    async (token) => {
      await expect(store().federation.list({ size: 2, token })).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
      })
    },
  )
}
