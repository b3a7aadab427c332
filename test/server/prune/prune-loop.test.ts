import { expect, test } from 'vitest'
import { pruneRegularly } from '../../../server/prune/prune-loop.ts'
import { FakeClock } from '../../fakes/clock.ts'

const MINUTE_MS = 60_000

function start(prune: (now: Date, limit: number) => Promise<number>) {
  const clock = new FakeClock()
  const stop = new AbortController()
  const pruned: number[] = []
  const failures: unknown[] = []
  const ended = pruneRegularly(
    { what: 'things', everyMs: MINUTE_MS, prune },
    {
      clock,
      onPruned: (_, count) => pruned.push(count),
      onFailure: (_, error) => failures.push(error),
    },
    stop.signal,
  )
  return { clock, stop, pruned, failures, ended }
}

test('prunes at once, and then regularly, until it is told to stop', async () => {
  let rounds = 0
  const { clock, stop, pruned, ended } = start(async () => {
    rounds++
    return rounds === 1 ? 3 : 0
  })
  await clock.sleepers(1)
  expect(rounds).toBe(1)
  clock.advance(MINUTE_MS)
  await clock.sleepers(1)
  expect(rounds).toBe(2)
  stop.abort()
  await ended
  expect(pruned).toEqual([3])
})

test('removes more than one portion in a round, each in a write of its own', async () => {
  let left = 1_200
  const { clock, stop, pruned, ended } = start(async (_, limit) => {
    const removed = Math.min(left, limit)
    left -= removed
    return removed
  })
  await clock.sleepers(1)
  expect(pruned).toEqual([1_200])
  stop.abort()
  await ended
})

test('a failed round is reported and the next one comes all the same', async () => {
  let rounds = 0
  const { clock, stop, failures, ended } = start(async () => {
    rounds++
    throw new Error('disk full')
  })
  await clock.sleepers(1)
  clock.advance(MINUTE_MS)
  await clock.sleepers(1)
  expect(rounds).toBe(2)
  expect(failures).toHaveLength(2)
  stop.abort()
  await ended
})
