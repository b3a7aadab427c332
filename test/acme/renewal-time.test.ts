import { expect, test } from 'vitest'
import { retryMs, untilRenewalMs } from '../../acme/renewal-time.ts'
import { IdentityError } from '../../spiffe/error.ts'

const MINUTE_MS = 60_000
const life = {
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2026-04-01T00:00:00Z'),
}

test.for([
  ['60 days before it is due', '2026-01-01T00:00:00Z', 60 * 24 * 60 * MINUTE_MS],
  ['a minute before it is due', '2026-03-01T23:59:00Z', MINUTE_MS],
  ['when it is due', '2026-03-02T00:00:00Z', 0],
  ['when it has expired', '2026-04-01T00:00:00Z', -30 * 24 * 60 * MINUTE_MS],
] as const)('a certificate of 90 days is left alone for two thirds of them: %s', ([, now, ms]) => {
  expect(untilRenewalMs(life, new Date(now))).toBe(ms)
})

test.for([
  [1, 1],
  [2, 4],
  [3, 16],
  [4, 60],
  [99, 60],
] as const)('after %i failures in a row it waits %i minutes', ([failures, minutes]) => {
  expect(retryMs(failures, new Error('x'), 0)).toBe(minutes * MINUTE_MS)
  expect(retryMs(failures, new Error('x'), 0.999)).toBeLessThan(minutes * MINUTE_MS * 1.1)
})

test('a CA that limits our rate is left alone for an hour at once', () => {
  expect(retryMs(1, new IdentityError('RATE_LIMITED', 'x'), 0)).toBe(60 * MINUTE_MS)
})
