import { expect, test } from 'vitest'
import { parseGoTime } from '../../../server/api/agent/wire-agent.ts'

test.for([
  ['2026-11-21 10:00:00 +0000 +00', '2026-11-21T10:00:00.000Z'],
  ['2026-11-21 10:00:00 +0200 +02', '2026-11-21T08:00:00.000Z'],
  ['2026-11-21 10:00:00.5 -0330 -03', '2026-11-21T13:30:00.500Z'],
] as const)('reads the time %s that SPIRE writes', ([text, iso]) => {
  expect(parseGoTime(text)?.toISOString()).toBe(iso)
})

test.for([
  '',
  '2026-11-21',
  '2026-11-21T10:00:00Z',
  '2026-11-21 10:00:00 +0000 UTC',
  '2026-13-21 10:00:00 +0000 +00',
  '2026-11-21 25:00:00 +0000 +00',
  ' 2026-11-21 10:00:00 +0000 +00',
])('leaves the filter out for %j, as SPIRE does', (text) => {
  expect(parseGoTime(text)).toBeUndefined()
})
