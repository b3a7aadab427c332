import { expect, test } from 'vitest'
import { knowingOnly } from '../../../agent/cache/knowledge.ts'
import { createWorkloadCache } from '../../../agent/cache/workload-cache.ts'
import { whyNoneWith } from '../../../agent/explain/why-none.ts'
import { agentSvid } from '../../../agent/node/agent-svid.ts'
import { createSyncRecord } from '../../../agent/sync/sync-record.ts'
import { loggableBy } from '../../../agent/workload-api/loggable-selectors.ts'
import type { UnixCaller } from '../../../proto/peer-credentials.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'
import { cachedEntry } from '../../fakes/cached-entry.ts'
import { FakeClock } from '../../fakes/clock.ts'

const ca = await testCa()
const leaf = await ca.leaf('/spire/agent/x509pop/1')
const svid = agentSvid({ ...leaf, reattestable: true, trustDomain: ca.trustDomain })
const caller: UnixCaller = { kind: 'unix', pid: 7, uid: 0, gid: 0, isAlive: () => true }
const { signal } = new AbortController()

function setUp(
  entries: readonly ReturnType<typeof cachedEntry>[],
  logSelectors: readonly string[] = [],
) {
  const clock = new FakeClock(TEST_NOW)
  const known = {
    ...knowingOnly(ca.bundle),
    entries: new Map(entries.map((one) => [one.entryId, one])),
  }
  const cache = createWorkloadCache({ clock, maxSvids: 10, known, svids: [] })
  const sync = createSyncRecord(clock)
  const membership = { svid: () => svid }
  const whyNone = whyNoneWith({
    cache,
    membership,
    sync,
    isLoggable: loggableBy(logSelectors),
    clock,
  })
  const selectors = new Set(['unix:uid:1000', 'unix:gid:1000', 'k8s:ns:shop'].map(parseSelector))
  return { clock, sync, told: () => whyNone({ caller, selectors, signal }) }
}

const web = cachedEntry('web', { selectors: ['unix:uid:1001', 'unix:gid:1000'].map(parseSelector) })

test('names the closest entry and counts what is lacking, without showing a selector', () => {
  const { sync, told } = setUp([web])
  sync.succeeded()
  expect(told()).toEqual({
    why: 'the process lacks 1 of the 2 selectors of entry web (spiffe://example.org/web), which comes closest',
  })
})

test('shows of the selectors those that the operator allows, and no others', () => {
  const { sync, told } = setUp([web], ['unix'])
  sync.succeeded()
  expect(told()).toMatchObject({ selectors: 'unix:gid:1000,unix:uid:1000' })
})

test('an agent that has not heard from its server says that first', () => {
  const { told } = setUp([web])
  expect(told()).toEqual({ why: 'the agent has not heard from the server since it started' })
})

test('an agent without entries says that', () => {
  const { sync, told } = setUp([])
  sync.succeeded()
  expect(told()).toEqual({ why: 'the agent has no registration entries for workloads' })
})

test('a caller that comes again and again is not looked at every time', () => {
  const { clock, told } = setUp([web])
  const isTold = () => 'why' in told()
  expect(Array.from({ length: 12 }, isTold).filter(Boolean)).toHaveLength(10)
  clock.advance(1_000)
  expect(isTold()).toBe(true)
})
