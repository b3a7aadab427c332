/** Go's durations, as time.ParseDuration reads and Duration.String writes them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatDuration, parseDurationMs } from '../../config/duration.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { anyText } from '../fakes/any-text.ts'
import { refusalOf } from './trees.ts'

const HOUR = 3_600_000

test.for([
  ['0', 0],
  ['-0', 0],
  ['0s', 0],
  ['10s', 10_000],
  ['5m', 300_000],
  ['24h', 24 * HOUR],
  ['1h30m', 1.5 * HOUR],
  ['1.5h', 1.5 * HOUR],
  ['.5h', HOUR / 2],
  ['1.h', HOUR],
  ['+5m', 300_000],
  ['-1h', -HOUR],
  ['250ms', 250],
  ['100us', 0.1],
  ['100µs', 0.1],
  ['100μs', 0.1],
  ['1ns', 0.000001],
  ['5m5m', 600_000],
  ['1m1h', 3_660_000],
  ['9223372036854775807ns', 9_223_372_036_854.775],
  ['2562047h47m16.854775807s', 9_223_372_036_854.775],
] as const)('reads %s', ([text, ms]) => {
  expect(parseDurationMs(text)).toBeCloseTo(ms, 9)
})

test.for([
  ['', 'it is empty'],
  ['-', 'it is empty'],
  ['24', 'its unit is missing'],
  ['1h30', 'its unit is missing'],
  ['.', 'its unit is missing'],
  ['1d', 'unknown unit "d"'],
  ['1H', 'unknown unit "H"'],
  ['1 h', 'unknown unit " h"'],
  [' 5m', 'a unit has no number'],
  ['h', 'a unit has no number'],
  ['.h', 'a unit has no number'],
  ['--5m', 'a unit has no number'],
  ['1..5h', 'it is malformed'],
  ['5m ', 'unknown unit "m "'],
  ['1constructor', 'unknown unit'],
  ['9223372036854775808ns', 'it is too long'],
  ['2562048h', 'it is too long'],
  ['1'.repeat(200), 'it is too long'],
] as const)('refuses %j', ([text, why]) => {
  expect(refusalOf(() => parseDurationMs(text))).toContain(`is not a duration: ${why}`)
})

test.for([
  [0, '0s'],
  [1000, '1s'],
  [1500, '1.5s'],
  [60_000, '1m0s'],
  [90_500, '1m30.5s'],
  [HOUR, '1h0m0s'],
  [24 * HOUR, '24h0m0s'],
  [HOUR + 1, '1h0m0.001s'],
  [250, '250ms'],
  [1.25, '1.25ms'],
  [0.1, '100µs'],
  [0.000001, '1ns'],
  [-90_000, '-1m30s'],
] as const)('writes %d ms as %s', ([ms, text]) => {
  expect(formatDuration(ms)).toBe(text)
})

test('reads back whatever it writes', () => {
  const thousandYearsMs = 9_000_000_000_000
  fc.assert(
    fc.property(fc.integer({ min: -thousandYearsMs, max: thousandYearsMs }), (ms) => {
      expect(parseDurationMs(formatDuration(ms))).toBe(ms)
    }),
  )
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (nanoseconds) => {
      expect(parseDurationMs(formatDuration(nanoseconds / 1e6))).toBeCloseTo(nanoseconds / 1e6, 6)
    }),
  )
})

test('throws nothing but CONFIG_INVALID, whatever the text', () => {
  const pieces = fc.constantFrom(
    '1',
    '0',
    '.',
    '-',
    '+',
    'h',
    'm',
    's',
    'ms',
    'µs',
    ' ',
    'd',
    '9e9',
  )
  const texts = fc.oneof(
    anyText(),
    fc.array(pieces, { maxLength: 10 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(texts, (text) => {
      try {
        expect(parseDurationMs(text)).toEqual(expect.any(Number))
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
      }
    }),
    { numRuns: 1000 },
  )
})
