import { expect, test } from 'vitest'
import { openLocalBundle } from '../../../server/bundle/local-bundle.ts'
import { pruneBundle } from '../../../server/bundle/prune.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import { appendAuthorities } from '../../../spiffe/bundle/merge.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'

const HOUR_MS = 60 * 60 * 1000

async function pruning(ttlHours: readonly number[]) {
  const clock = new FakeClock()
  const store = await openStore({ path: ':memory:', clock })
  const bundle = await openLocalBundle(store.bundles, parseTrustDomain('example.org'))
  const start = clock.now().getTime()
  await bundle.update((current) =>
    appendAuthorities(current, {
      jwtAuthorities: ttlHours.map((hours) => ({
        keyId: `${hours} h`,
        publicKey: Buffer.from(String(hours)),
        expiresAt: new Date(start + hours * HOUR_MS),
        tainted: false,
      })),
    }),
  )
  const failures: unknown[] = []
  let pruned = 0
  const stop = new AbortController()
  const done = pruneBundle(
    {
      bundle,
      clock,
      onPruned: () => {
        pruned += 1
      },
      onFailure: (error) => failures.push(error),
    },
    stop.signal,
  )
  await clock.sleepers(1)
  return {
    clock,
    failures,
    store,
    prunedTimes: () => pruned,
    keyIds: () => bundle.current().jwtAuthorities.map(({ keyId }) => keyId),
    async advance(hours: number) {
      clock.advance(hours * HOUR_MS)
      await clock.sleepers(1)
    },
    async end() {
      stop.abort()
      await done
      await store.close()
    },
  }
}

test('an authority leaves the bundle a day after it expired, at the next look, which is every six hours', async () => {
  const { keyIds, prunedTimes, advance, end } = await pruning([1, 1000])
  await advance(24)
  expect(keyIds()).toEqual(['1 h', '1000 h'])
  await advance(5.9)
  expect(keyIds()).toEqual(['1 h', '1000 h'])
  await advance(0.1)
  expect(keyIds()).toEqual(['1000 h'])
  expect(prunedTimes()).toBe(1)
  await end()
})

test('the last authorities stay, however long ago they expired', async () => {
  const { keyIds, prunedTimes, advance, end } = await pruning([1, 2])
  await advance(10_000)
  expect(keyIds()).toEqual(['1 h', '2 h'])
  expect(prunedTimes()).toBe(0)
  await end()
})

test('a store that does not answer is reported, and asked again after a minute', async () => {
  const { clock, failures, store, end } = await pruning([1])
  await store.close()
  clock.advance(6 * HOUR_MS)
  await expect.poll(() => failures.length).toBe(1)
  await clock.sleepers(1)
  clock.advance(60_000)
  await expect.poll(() => failures.length).toBe(2)
  await end()
})
