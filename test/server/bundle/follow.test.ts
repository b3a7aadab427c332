import { expect, test } from 'vitest'
import { followBundle } from '../../../server/bundle/follow.ts'
import { createBell } from '../../../spiffe/bell.ts'
import { FakeClock } from '../../fakes/clock.ts'

function following(refresh: () => Promise<void>) {
  const clock = new FakeClock()
  const written = createBell()
  const stop = new AbortController()
  const failures: unknown[] = []
  const onFailure = (error: unknown) => failures.push(error)
  const done = followBundle({ bundle: { refresh }, written, clock, onFailure }, stop.signal)
  const end = () => {
    stop.abort()
    return done
  }
  return { clock, written, failures, end }
}

test('the bundle is read anew as soon as it may have been written, and every five seconds anyway', async () => {
  let refreshed = 0
  const { clock, written, failures, end } = following(async () => {
    refreshed += 1
  })
  await clock.sleepers(1)
  expect(refreshed).toBe(1)
  written.ring()
  await expect.poll(() => refreshed).toBe(2)
  await clock.sleepers(1)
  clock.advance(5_000)
  await expect.poll(() => refreshed).toBe(3)
  expect(failures).toEqual([])
  await end()
})

test('a write during a read leads to another read', async () => {
  const reads: (() => void)[] = []
  const { written, end } = following(() => new Promise((resolve) => reads.push(resolve)))
  expect(reads).toHaveLength(1)
  written.ring()
  reads[0]?.()
  await expect.poll(() => reads.length).toBe(2)
  reads[1]?.()
  await end()
})

test('a store that does not answer is reported and asked again after five seconds', async () => {
  let refreshed = 0
  const { clock, failures, end } = following(async () => {
    refreshed += 1
    if (refreshed === 1) throw new Error('busy')
  })
  await clock.sleepers(1)
  expect(failures).toEqual([new Error('busy')])
  clock.advance(5_000)
  await expect.poll(() => refreshed).toBe(2)
  await end()
})
