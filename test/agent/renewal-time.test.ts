import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isShortOfTarget, renewalTime } from '../../agent/renewal-time.ts'

const HOUR = 3600_000
const issuedAt = new Date('2026-01-01T00:00:00Z')
/** Dated back by ten seconds, as servers do. */
const lasting = (hours: number) => ({
  notBefore: new Date(issuedAt.getTime() - 10_000),
  expiresAt: new Date(issuedAt.getTime() + hours * HOUR),
})
const hoursAfterStart = (date: Date) => (date.getTime() - issuedAt.getTime()) / HOUR

test.for([
  ['at half life', 1, undefined, 0.5, 0.5],
  ['a tenth of the half earlier at most', 1, undefined, 0.999999999, 0.45],
  ['a tenth of the half later at most', 1, undefined, 0, 0.55],
  ['so early that it outlives the availability target', 48, 24 * 3600, 0, 24],
  ['up to ten minutes earlier than that', 48, 24 * 3600, 0.5, 24 - 5 / 60],
  ['at half life when it barely outlives the target', 35, 24 * 3600, 0.5, 17.5],
  ['by the target when twelve hours are left beside it', 36, 24 * 3600, 0, 12],
  ['at half life, as SPIRE, when that is earlier than the target', 96, 24 * 3600, 0.5, 48],
] as const)('an SVID is renewed %s', ([, hours, target, random, expected]) => {
  const at = renewalTime(lasting(hours), { availabilityTargetSeconds: target }, () => random)
  expect(hoursAfterStart(at)).toBeCloseTo(expected, 5)
})

test('the renewal lies strictly within the life of the SVID, however long that is', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.option(fc.integer({ min: 24, max: 1_000 }), { nil: undefined }),
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      (hours, target, random) => {
        const availabilityTargetSeconds = target === undefined ? undefined : target * 3600
        const at = renewalTime(lasting(hours), { availabilityTargetSeconds }, () => random)
        expect(hoursAfterStart(at)).toBeGreaterThan(0)
        expect(hoursAfterStart(at)).toBeLessThan(hours)
      },
    ),
  )
})

test.for([
  [undefined, 1, false],
  [24, 35, true],
  [24, 36, false],
  [24, 1, true],
] as const)(
  'with a target of %s h an SVID of %s h is too short for it: %s',
  ([target, hours, isShort]) => {
    const availabilityTargetSeconds = target === undefined ? undefined : target * 3600
    expect(isShortOfTarget(lasting(hours), { availabilityTargetSeconds })).toBe(isShort)
  },
)

test('an SVID that lives for seconds is not due the moment it was issued', () => {
  const policy = { availabilityTargetSeconds: undefined }
  const at = renewalTime(lasting(5 / 3600), policy, () => 0.5)
  expect(at.getTime() - issuedAt.getTime()).toBe(2_500)
})
