/** The agent's cache as a whole: what it keeps ready is what it would find anew. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { knowingOnly } from '../../../agent/cache/knowledge.ts'
import { planSvids } from '../../../agent/cache/svid-plan.ts'
import { createWorkloadCache } from '../../../agent/cache/workload-cache.ts'
import { taintedKeyIds } from '../../../agent/tainted-keys.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { testCa } from '../../fakes/ca.ts'
import { cachedEntry, cachedSvid } from '../../fakes/cached-entry.ts'
import { FakeClock } from '../../fakes/clock.ts'

const { bundle } = await testCa()
const HOUR_MS = 3_600_000
const names = ['a', 'b', 'c', 'd']

test('a plan that is asked for again is the one that would be made then, whatever came between', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('put' as const), name: fc.constantFrom(...names) }),
    fc.record({ kind: fc.constant('remove' as const), name: fc.constantFrom(...names) }),
    fc.record({ kind: fc.constant('store' as const), name: fc.constantFrom(...names) }),
    fc.record({ kind: fc.constant('drop' as const), name: fc.constantFrom(...names) }),
    fc.record({ kind: fc.constant('postpone' as const), name: fc.constantFrom(...names) }),
    fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.integer({ min: -1_000, max: HOUR_MS }),
    }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const clock = new FakeClock('2026-01-01T12:00:00Z')
      const retries = new Map<string, number>()
      const known = knowingOnly(bundle)
      const cache = createWorkloadCache({ clock, maxSvids: 3, known, svids: [] })
      for (const one of steps) {
        switch (one.kind) {
          case 'put':
          case 'remove': {
            const isNew = one.kind === 'put' && !cache.knowledge().entries.has(one.name)
            cache.apply({
              kind: 'changes',
              entries: isNew ? [cachedEntry(one.name)] : [],
              removedEntryIds: one.kind === 'remove' ? [one.name] : [],
              ...{ bundle: undefined, federated: undefined },
            })
            if (one.kind === 'remove') retries.delete(one.name)
            break
          }
          case 'store': {
            if (!cache.knowledge().entries.has(one.name)) break
            cache.store([cachedSvid(cachedEntry(one.name), clock.now())])
            retries.delete(one.name)
            break
          }
          case 'drop':
            cache.drop([one.name])
            break
          case 'postpone': {
            const untilMs = clock.now().getTime() + 5_000
            cache.postpone(one.name, untilMs)
            if (cache.knowledge().entries.has(one.name)) retries.set(one.name, untilMs)
            break
          }
          case 'wait':
            clock.advance(one.ms)
            break
          default:
            one satisfies never
        }
        const { missing, stale, evicted } = planSvids({
          ...{ entries: cache.knowledge().entries.values(), svids: cache.svids(), maxSvids: 3 },
          subscribed: new Set(),
          lastUse: () => 0,
          retryAt: (entryId) => retries.get(entryId),
          taintedKeyIds: taintedKeyIds(bundle),
          now: clock.now(),
        })
        expect(cache.plan()).toMatchObject({ missing, stale, evicted })
      }
    }),
    { numRuns: 300 },
  )
})

test('who comes for an entry changes the plan at once', () => {
  const clock = new FakeClock('2026-01-01T12:00:00Z')
  const known = knowingOnly(bundle)
  const cache = createWorkloadCache({ clock, maxSvids: 3, known, svids: [] })
  const entry = cachedEntry('lazy', { prefetch: false })
  const rest = { removedEntryIds: [], bundle: undefined, federated: undefined }
  cache.apply({ kind: 'changes', entries: [entry], ...rest })
  expect(cache.plan().missing).toEqual([])
  const held = cache.subscribe(new Set([parseSelector('unix:uid:0')]))
  expect(cache.plan().missing).toEqual([entry])
  held[Symbol.dispose]()
  expect(cache.plan().missing).toEqual([])
})

test('who counts entries is told of those that come, change and go, and of updates that change none', () => {
  const clock = new FakeClock('2026-01-01T12:00:00Z')
  const seen: unknown[] = []
  const cache = createWorkloadCache({
    ...{ clock, maxSvids: 3, known: knowingOnly(bundle), svids: [] },
    onEntries: ({ added, updated, removed }) => seen.push([added, updated, removed]),
  })
  const rest = { bundle: undefined, federated: undefined }
  const [a, b] = [cachedEntry('a'), cachedEntry('b')]
  cache.apply({ kind: 'snapshot', entries: [a, b], ...rest })
  cache.apply({ kind: 'snapshot', entries: [a, b], ...rest })
  const changed = { ...b, revision: b.revision + 1 }
  cache.apply({ kind: 'changes', entries: [changed], removedEntryIds: ['a', 'nobody'], ...rest })
  cache.apply({ kind: 'bundles', ...rest })
  expect(seen).toEqual([
    [2, 0, 0],
    [0, 0, 0],
    [0, 1, 1],
  ])
})
