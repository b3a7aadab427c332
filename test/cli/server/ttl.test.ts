/** Lifetimes of minted SVIDs. */
import { expect, test } from 'vitest'
import { cappedWarning, toTtlSeconds } from '../../../cli/server/ttl.ts'

test.for([
  [0, 0],
  [100, 1],
  [1_500, 2],
  [600_000, 600],
  [-1_000, -1],
] as const)('asks for %i ms as %i seconds', ([ms, seconds]) => {
  expect(toTtlSeconds(ms)).toBe(seconds)
})

test('refuses a lifetime that the protocol cannot carry', () => {
  expect(() => toTtlSeconds(999_999 * 3_600_000)).toThrow(
    'invalid value for TTL: 999999h0m0s is longer than 2147483647 seconds',
  )
})

const now = new Date('2026-01-01T00:00:00Z')
const expiresAt = now.getTime() / 1000 + 60

test('says when an SVID lives shorter than was asked for', () => {
  expect(cappedWarning('X509-SVID', { ttlMs: 61_000, expiresAt, now })).toBe(
    'X509-SVID lifetime was capped shorter than specified ttl; expires "2026-01-01T00:01:00Z"\n',
  )
})

test.for([
  ['it lives as long as was asked for', 60_000],
  ['nothing was asked for', 0],
  ['nonsense was asked for', -1_000],
] as const)('says nothing when %s', ([, ttlMs]) => {
  expect(cappedWarning('JWT-SVID', { ttlMs, expiresAt, now })).toBe('')
})
