import { expect, test } from 'vitest'
import { type PlanInput, planSvids, whyDue } from '../../../agent/cache/svid-plan.ts'
import type { X509Svid } from '../../../agent/cache/x509-svid.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { cachedEntry, cachedSvid } from '../../fakes/cached-entry.ts'

const now = new Date('2026-01-01T12:00:00Z')
const later = (minutes: number) => new Date(now.getTime() + minutes * 60_000)
const svidsOf = (...svids: readonly X509Svid[]) => new Map(svids.map((one) => [one.entryId, one]))

const plan = (input: Partial<PlanInput>) => {
  const { missing, stale, evicted, nextAt } = planSvids({
    entries: [],
    svids: new Map(),
    subscribed: new Set(),
    lastUse: () => 0,
    retryAt: () => undefined,
    maxSvids: 1000,
    taintedKeyIds: new Set(),
    now,
    ...input,
  })
  return {
    missing: missing.map(({ entryId }) => entryId),
    stale: stale.map(({ entryId }) => entryId),
    evicted,
    nextAt: nextAt === undefined ? undefined : new Date(nextAt),
  }
}
const nothing = { missing: [], stale: [], evicted: [], nextAt: undefined }

test('there is nothing to do without entries', () => {
  expect(plan({})).toEqual(nothing)
})

test('an entry without an SVID gets one before anybody asks', () => {
  expect(plan({ entries: [cachedEntry('a')] })).toEqual({ ...nothing, missing: ['a'] })
})

test('an entry that somebody waits for comes first', () => {
  const entries = ['a', 'b', 'c'].map((id) => cachedEntry(id))
  expect(plan({ entries, subscribed: new Set(['b']) }).missing).toEqual(['b', 'a', 'c'])
})

test('an SVID meant for a store is never asked for', () => {
  const entry = cachedEntry('a', { storeSvid: true })
  expect(plan({ entries: [entry], subscribed: new Set(['a']) })).toEqual(nothing)
})

test('an SVID is left alone until it is due, and then renewed while it is still served', () => {
  const entry = cachedEntry('a')
  const svid = cachedSvid(entry, now)
  const input = { entries: [entry], svids: svidsOf(svid) }
  expect(plan(input)).toEqual({ ...nothing, nextAt: svid.renewAt })
  const due = plan({ ...input, now: svid.renewAt })
  expect(due).toEqual({ ...nothing, stale: ['a'], nextAt: svid.expiresAt })
})

test('SVIDs that are due within a few seconds of one another are renewed together', () => {
  const [a, b, c] = [cachedEntry('a'), cachedEntry('b'), cachedEntry('c')]
  const svids = svidsOf(
    cachedSvid(a, later(-9), { renewAt: now }),
    cachedSvid(b, later(-9), { renewAt: new Date(now.getTime() + 4_000) }),
    cachedSvid(c, later(-9), { renewAt: later(1) }),
  )
  expect(plan({ entries: [a, b, c], svids }).stale).toEqual(['a', 'b'])
  expect(plan({ entries: [b, c], svids }).stale).toEqual([])
})

test.for([
  ['has expired', cachedEntry('a'), { expiresAt: now }],
  [
    'bears another ID than the entry has now',
    cachedEntry('a', { revision: 1 }),
    { id: parseSpiffeId('spiffe://example.org/old') },
  ],
] as const)('an SVID that %s counts as none', ([, entry, change]) => {
  const svids = svidsOf(cachedSvid(entry, later(-30), change))
  expect(plan({ entries: [entry], svids })).toMatchObject({ missing: ['a'], stale: [] })
})

test('an SVID of an earlier revision is renewed at once', () => {
  const svids = svidsOf(cachedSvid(cachedEntry('a'), now))
  expect(plan({ entries: [cachedEntry('a', { revision: 1 })], svids }).stale).toEqual(['a'])
})

test('an SVID that a tainted authority signed is renewed, but not over and over', () => {
  const entry = cachedEntry('a')
  const input = { entries: [entry], taintedKeyIds: new Set(['aa']) }
  const old = svidsOf(cachedSvid(entry, later(-1)))
  expect(plan({ ...input, svids: old }).stale).toEqual(['a'])
  const fresh = svidsOf(cachedSvid(entry, now))
  expect(plan({ ...input, svids: fresh })).toMatchObject({
    stale: [],
    nextAt: new Date(now.getTime() + 5_000),
  })
  expect(plan({ ...input, svids: old, taintedKeyIds: new Set(['bb']) }).stale).toEqual([])
})

test('an SVID that is due when it comes is not renewed over and over', () => {
  const entry = cachedEntry('a')
  const svids = svidsOf(cachedSvid(entry, now, { renewAt: later(-1) }))
  expect(plan({ entries: [entry], svids })).toMatchObject({
    stale: [],
    nextAt: new Date(now.getTime() + 5_000),
  })
})

test('an entry that was refused is left alone for a while', () => {
  const entry = cachedEntry('a')
  const retryAt = () => later(1).getTime()
  expect(plan({ entries: [entry], retryAt })).toEqual({ ...nothing, nextAt: later(1) })
  expect(plan({ entries: [entry], retryAt, now: later(1) }).missing).toEqual(['a'])
})

test('the next look is never in the past, also while something is overdue', () => {
  const entry = cachedEntry('a')
  const svid = cachedSvid(entry, later(-45))
  const { nextAt } = plan({ entries: [entry], svids: svidsOf(svid) })
  expect(nextAt).toEqual(svid.expiresAt)
})

test('the SVID of an entry that is gone is dropped', () => {
  expect(plan({ svids: svidsOf(cachedSvid(cachedEntry('a'), now)) }).evicted).toEqual(['a'])
})

test('beyond the limit the SVIDs used last are kept, and those that exist before those to be made', () => {
  const entries = ['a', 'b', 'c', 'd'].map((id) => cachedEntry(id))
  const svids = svidsOf(...entries.slice(0, 3).map((entry) => cachedSvid(entry, now)))
  const lastUse = (id: string) => (id === 'c' ? 1 : 0)
  expect(plan({ entries, svids, lastUse, maxSvids: 2 })).toMatchObject({
    missing: [],
    evicted: ['b'],
  })
  expect(plan({ entries, svids: new Map(), lastUse, maxSvids: 2 }).missing).toEqual(['c', 'a'])
})

test('an entry with an open stream is kept and served beyond the limit', () => {
  const entries = ['a', 'b', 'c'].map((id) => cachedEntry(id))
  const svids = svidsOf(...entries.slice(0, 2).map((entry) => cachedSvid(entry, now)))
  expect(plan({ entries, svids, maxSvids: 0, subscribed: new Set(['b', 'c']) })).toMatchObject({
    missing: ['c'],
    evicted: ['a'],
  })
})

test('an entry without prefetch gets its SVID when somebody waits, and keeps it while it lasts', () => {
  const entry = cachedEntry('a', { prefetch: false })
  expect(plan({ entries: [entry] })).toEqual(nothing)
  expect(plan({ entries: [entry], subscribed: new Set(['a']) }).missing).toEqual(['a'])
  const svids = svidsOf(cachedSvid(entry, later(-45)))
  expect(plan({ entries: [entry], svids })).toEqual(nothing)
  expect(plan({ entries: [entry], svids, now: later(15) }).evicted).toEqual(['a'])
})

test('an SVID that was obtained before the clock was set back is renewed at once, and served until then', () => {
  const entry = cachedEntry('a')
  const svids = svidsOf(cachedSvid(entry, later(60)))
  expect(plan({ entries: [entry], svids })).toMatchObject({ missing: [], stale: ['a'] })
  const alike = svidsOf(cachedSvid(entry, new Date(now.getTime() + 10_000)))
  expect(plan({ entries: [entry], svids: alike }).stale).toEqual([])
})

test('an entry that was postponed before the clock was set back does not wait for the time that was taken back', () => {
  const retryAt = (minutes: number) => () => later(minutes).getTime()
  expect(plan({ entries: [cachedEntry('a')], retryAt: retryAt(60) }).missing).toEqual(['a'])
  expect(plan({ entries: [cachedEntry('a')], retryAt: retryAt(1) }).missing).toEqual([])
})

const NOW_DUE = Number.NEGATIVE_INFINITY

test.for([
  ['whose time comes', {}, 'expiring', 'renewAt'],
  ['whose entry has changed', { revision: 99 }, 'outdated', NOW_DUE],
  ['that came before the clock was set back', { obtainedAt: later(60) }, 'of-the-future', NOW_DUE],
  ['of a tainted authority', { authorityKeyIds: ['bad'] }, 'tainted', 'before renewAt'],
  [
    'of a tainted authority whose entry has changed',
    { authorityKeyIds: ['bad'], revision: 99 },
    'tainted',
    NOW_DUE,
  ],
] as const)('an SVID %s is replaced for that reason, in its time', ([, change, why, due]) => {
  const entry = cachedEntry('a')
  const svid = { ...cachedSvid(entry, now), ...change }
  const told = whyDue(svid, entry, { taintedKeyIds: new Set(['bad']), now })
  expect(told.why).toBe(why)
  const renewMs = svid.renewAt.getTime()
  if (due === 'before renewAt') {
    expect(told.dueMs).toBeLessThan(renewMs)
    expect(told.dueMs).toBeGreaterThan(svid.obtainedAt.getTime())
  } else expect(told.dueMs).toBe(due === 'renewAt' ? renewMs : due)
})
