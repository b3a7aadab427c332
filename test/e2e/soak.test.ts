import { expect, test } from 'vitest'
import { soakProxy } from '../soak/soak-proxy.ts'

/** MiB that a proxy may hold more after the storm than in the calm before it. */
const MOST_GROWTH_MIB = 160

test('while SVIDs, policies and hostile clients come and go, every request gets its own answer', async () => {
  const report = await soakProxy({ seconds: 10, shortConnections: 1_000, clients: 8 })
  expect(report).toMatchObject({
    ...{ failed: [], passed: [], errors: [], left: 0, isRapidResetEnded: true },
    floodAnswers: [431],
  })
  expect(report.requests).toBeGreaterThan(1_000)
  expect(report.policies).toBeGreaterThan(3)
  expect(report.svids).toBeGreaterThan(1)
  expect(Math.max(...Object.values(report.grownMib))).toBeLessThan(MOST_GROWTH_MIB)
})
