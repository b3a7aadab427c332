import { expect, test } from 'vitest'
import { soakProxy } from '../soak/soak-proxy.ts'

/** MiB that a proxy may hold more at any time than at the first look, when its load had begun. */
const MOST_GROWTH_MIB = 200
/** For connections to end by themselves, in ms. */
const PATIENCE_MS = 20_000

test('while SVIDs, policies and hostile clients come and go, every request gets its own answer', async () => {
  const { courses, ...report } = await soakProxy({
    ...{ seconds: 10, shortConnections: 1_000, clients: 8, patienceMs: PATIENCE_MS },
  })
  expect(report).toMatchObject({
    ...{ failed: [], passed: [], errors: [], left: 0, isRapidResetEnded: true },
    floodAnswers: [431],
  })
  expect(report.requests).toBeGreaterThan(1_000)
  expect(report.policies).toBeGreaterThan(3)
  expect(report.svids).toBeGreaterThan(1)
  for (const { samples } of courses) {
    const resident = samples.map(({ residentMib }) => residentMib)
    expect(Math.max(...resident) - (resident[0] ?? 0)).toBeLessThan(MOST_GROWTH_MIB)
  }
})
