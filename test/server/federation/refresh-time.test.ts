import { expect, test } from 'vitest'
import { refreshIntervalMs, retryMs } from '../../../server/federation/refresh-time.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'

const hinted = (refreshHintSeconds: number) => ({
  ...emptyBundle(parseTrustDomain('partner.org')),
  refreshHintSeconds,
})

test.for([
  ['a quarter of the hint', hinted(300), 75_000],
  ['a hint below a minute as if it were one', hinted(5), 15_000],
  ['five minutes without a hint', hinted(0), 300_000],
  ['a minute while there is no bundle', undefined, 60_000],
  ['a day at most, whatever the hint', hinted(10 ** 9), 86_400_000],
] as const)('waits for %s', ([, bundle, expected]) => {
  expect(refreshIntervalMs(bundle)).toBe(expected)
})

test('retries after 5 s, then twice as long each time, never longer than without a failure', () => {
  const waits = [1, 2, 3, 4, 5, 60].map((failures) => retryMs(failures, hinted(300)))
  expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 75_000, 75_000])
})
