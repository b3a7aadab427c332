/** Points in time as Go prints them. */
import { afterEach, expect, test } from 'vitest'
import { formatLocal, formatRfc3339, formatUtc } from '../../../cli/output/go-time.ts'

const winter = new Date('2026-11-21T11:17:07.999Z')
const zone = process.env.TZ

afterEach(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

test('prints whole seconds in UTC', () => {
  expect(formatUtc(winter)).toBe('2026-11-21 11:17:07 +0000 UTC')
  expect(formatUtc(new Date(-4_000))).toBe('1969-12-31 23:59:56 +0000 UTC')
  expect(formatRfc3339(winter)).toBe('2026-11-21T11:17:07Z')
})

test.for([
  ['UTC', '2026-11-21 11:17:07 +0000 UTC'],
  ['America/New_York', '2026-11-21 06:17:07 -0500 EST'],
  ['Europe/Berlin', '2026-11-21 12:17:07 +0100 CET'],
  ['Asia/Kolkata', '2026-11-21 16:47:07 +0530 IST'],
  ['America/Sao_Paulo', '2026-11-21 08:17:07 -0300 -03'],
] as const)('prints the time of %s with its zone', ([name, text]) => {
  process.env.TZ = name
  expect(formatLocal(winter)).toBe(text)
})
