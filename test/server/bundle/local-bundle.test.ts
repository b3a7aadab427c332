import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLocalBundle } from '../../../server/bundle/local-bundle.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { appendAuthorities } from '../../../spiffe/bundle/merge.ts'
import { type Bundle, emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'

const trustDomain = parseTrustDomain('example.org')
const withKey = (bundle: Bundle, keyId: string) =>
  appendAuthorities(bundle, {
    jwtAuthorities: [
      { keyId, publicKey: Buffer.from(keyId), expiresAt: undefined, tainted: false },
    ],
  })
const keyIds = ({ jwtAuthorities }: Bundle) => jwtAuthorities.map(({ keyId }) => keyId)

let store: Store
beforeEach(async () => {
  store = await openStore({ path: ':memory:', clock: new FakeClock() })
})
afterEach(() => store.close())

test('the bundle is empty before anything was written, and then what the store has', async () => {
  const first = await openLocalBundle(store.bundles, trustDomain)
  expect(first.current()).toEqual(emptyBundle(trustDomain))
  await first.update((bundle) => withKey(bundle, 'one'))
  const second = await openLocalBundle(store.bundles, trustDomain)
  expect(second.current()).toEqual(first.current())
  expect(second.current().sequenceNumber).toBe(1)
})

test('a change shows only once it is in the store', async () => {
  const bundle = await openLocalBundle(store.bundles, trustDomain)
  const updating = bundle.update((current) => withKey(current, 'one'))
  expect(keyIds(bundle.current())).toEqual([])
  await updating
  expect(keyIds(bundle.current())).toEqual(['one'])
  expect(await store.bundles.find(trustDomain)).toEqual(bundle.current())
})

test('a change that the store refuses does not show', async () => {
  const bundle = await openLocalBundle(store.bundles, trustDomain)
  const broken = bundle.update(() => {
    throw new Error('no')
  })
  await expect(broken).rejects.toThrow('no')
  await store.close()
  await expect(bundle.update((current) => withKey(current, 'one'))).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })
  expect(bundle.current()).toEqual(emptyBundle(trustDomain))
})

test('a change that changes nothing writes nothing and tells nobody', async () => {
  const bundle = await openLocalBundle(store.bundles, trustDomain)
  let told = 0
  bundle.onChange(() => {
    told += 1
  })
  expect(await bundle.update((current) => current)).toEqual(emptyBundle(trustDomain))
  expect(await store.bundles.find(trustDomain)).toBeUndefined()
  await bundle.update((current) => withKey(current, 'one'))
  const before = bundle.current()
  await bundle.update((current) => current)
  await bundle.refresh()
  expect(bundle.current()).toBe(before)
  expect(told).toBe(1)
})

test('changes at the same time follow each other, and listeners hear of every one in order', async () => {
  const bundle = await openLocalBundle(store.bundles, trustDomain)
  const told: string[][] = []
  const stop = bundle.onChange((changed) => told.push(keyIds(changed)))
  await Promise.all(['one', 'two', 'three'].map((keyId) => bundle.update((b) => withKey(b, keyId))))
  expect(told).toEqual([['one'], ['one', 'two'], ['one', 'two', 'three']])
  stop()
  await bundle.update((current) => withKey(current, 'four'))
  expect(told).toHaveLength(3)
})

test('what somebody else wrote shows after a refresh', async () => {
  const bundle = await openLocalBundle(store.bundles, trustDomain)
  const told: number[] = []
  bundle.onChange(({ sequenceNumber }) => told.push(sequenceNumber))
  await store.bundles.update(trustDomain, () => withKey(emptyBundle(trustDomain), 'theirs'))
  expect(keyIds(bundle.current())).toEqual([])
  await bundle.refresh()
  expect(keyIds(bundle.current())).toEqual(['theirs'])
  expect(told).toEqual([1])
})

test('an answer that comes late never brings an older bundle back', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  let isSlow = false
  const slow = {
    update: store.bundles.update,
    find: async (name: typeof trustDomain) => {
      const found = await store.bundles.find(name)
      if (isSlow) await released
      return found
    },
  }
  const bundle = await openLocalBundle(slow, trustDomain)
  await bundle.update((current) => withKey(current, 'one'))
  isSlow = true
  const refreshing = bundle.refresh()
  await bundle.update((current) => withKey(current, 'two'))
  release()
  await refreshing
  expect(keyIds(bundle.current())).toEqual(['one', 'two'])
})

test('a store that has gone back is believed once it is doubted, and not before', async () => {
  let answer = { ...withKey(emptyBundle(trustDomain), 'one'), sequenceNumber: 10 }
  const bundle = await openLocalBundle(
    { update: store.bundles.update, find: async () => answer },
    trustDomain,
  )
  answer = { ...withKey(emptyBundle(trustDomain), 'older'), sequenceNumber: 7 }
  await bundle.refresh()
  expect(keyIds(bundle.current())).toEqual(['one'])
  bundle.doubt()
  await bundle.refresh()
  expect(keyIds(bundle.current())).toEqual(['older'])
  answer = { ...answer, sequenceNumber: 6 }
  await bundle.refresh()
  expect(bundle.current().sequenceNumber).toBe(7)
})

test('an answer to a question from before the doubt settles nothing', async () => {
  const answers: ((found: Bundle) => void)[] = []
  const found = { ...withKey(emptyBundle(trustDomain), 'one'), sequenceNumber: 10 }
  let isSlow = false
  const slow = {
    update: store.bundles.update,
    find: () => (isSlow ? new Promise<Bundle>((answer) => answers.push(answer)) : found),
  }
  const bundle = await openLocalBundle(
    { ...slow, find: async () => await slow.find() },
    trustDomain,
  )
  isSlow = true
  const before = bundle.refresh()
  bundle.doubt()
  const after = bundle.refresh()
  answers[0]?.({ ...found, sequenceNumber: 11 })
  await before
  answers[1]?.({ ...withKey(emptyBundle(trustDomain), 'older'), sequenceNumber: 7 })
  await after
  expect(keyIds(bundle.current())).toEqual(['older'])
})
