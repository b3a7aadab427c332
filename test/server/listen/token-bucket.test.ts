import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Bucket, fullBucket, putBack, take } from '../../../server/listen/token-bucket.ts'

const RATE = { perSecond: 10 }

test('a full bucket serves a burst of its size at once, and the next taker waits for its token', () => {
  const burst = take(fullBucket(RATE, 0), 10, RATE, 0)
  expect(burst.waitMs).toBe(0)
  expect(take(burst.bucket, 1, RATE, 0).waitMs).toBe(100)
})

test('those who come later wait longer: nobody overtakes', () => {
  let { bucket } = take(fullBucket(RATE, 0), 10, RATE, 0)
  const waits = [1, 1, 5].map((count) => {
    const taken = take(bucket, count, RATE, 0)
    bucket = taken.bucket
    return taken.waitMs
  })
  expect(waits).toEqual([100, 200, 700])
})

test('tokens come back with time, never more than the bucket holds', () => {
  const { bucket } = take(fullBucket(RATE, 0), 10, RATE, 0)
  expect(take(bucket, 5, RATE, 500).waitMs).toBe(0)
  expect(take(bucket, 11, RATE, 3_600_000).waitMs).toBe(100)
})

test('a clock that is set back gives no tokens and takes none', () => {
  const { bucket } = take(fullBucket(RATE, 5_000), 4, RATE, 5_000)
  expect(take(bucket, 6, RATE, 0).waitMs).toBe(0)
  expect(take(bucket, 7, RATE, 0).waitMs).toBe(100)
})

test('who gives up before its turn shortens the wait of the next one', () => {
  const first = take(fullBucket(RATE, 0), 10, RATE, 0)
  const gaveUp = take(first.bucket, 10, RATE, 0)
  expect(take(gaveUp.bucket, 1, RATE, 0).waitMs).toBe(1_100)
  expect(take(putBack(gaveUp.bucket, 10, RATE), 1, RATE, 0).waitMs).toBe(100)
})

test('over any sequence of takers, no more than the burst and the rate allow is served by any time', () => {
  const takers = fc.array(
    fc.record({ pauseMs: fc.nat(3_000), count: fc.integer({ min: 1, max: 10 }) }),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(takers, (sequence) => {
      let bucket: Bucket = fullBucket(RATE, 0)
      let now = 0
      const served: { at: number; count: number }[] = []
      for (const { pauseMs, count } of sequence) {
        now += pauseMs
        const taken = take(bucket, count, RATE, now)
        bucket = taken.bucket
        served.push({ at: now + taken.waitMs, count })
      }
      for (const { at } of served) {
        const total = served.reduce((sum, one) => sum + (one.at <= at ? one.count : 0), 0)
        expect(total).toBeLessThanOrEqual(RATE.perSecond + (at * RATE.perSecond) / 1000 + 1e-6)
      }
    }),
  )
})
