import { expect, test } from 'vitest'
import { createLogLimit } from '../../../proxy/telemetry/log-limit.ts'
import { FakeClock } from '../../fakes/clock.ts'

test('a flood of refusals fills no log, and what was left out is counted', () => {
  const clock = new FakeClock()
  const limit = createLogLimit(clock)
  const first = Array.from({ length: 150 }, () => limit.next())
  expect(first.filter((omitted) => omitted === 0)).toHaveLength(100)
  expect(first.filter((omitted) => omitted === undefined)).toHaveLength(50)
  clock.advance(1_000)
  expect([limit.next(), limit.next()]).toEqual([50, 0])
})
