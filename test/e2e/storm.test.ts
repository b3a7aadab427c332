import { expect, test } from 'vitest'
import { runStorm } from '../soak/storm/run-storm.ts'

/** With it the first authority has ended, and the second one has signed. */
const STORM_SECONDS = 65
/** Two nodes of twenty workloads, and a machine that has other things to do, in ms. */
const LONGEST_MS = 240_000

const isRoot = process.getuid?.() === 0
const title =
  'with authorities of a minute and SVIDs of twenty seconds, no handshake fails and none gets an expired SVID'

test.skipIf(!isRoot)(
  isRoot ? title : `${title} (needs root)`,
  { timeout: LONGEST_MS },
  async () => {
    const report = await runStorm({
      ...{ seconds: STORM_SECONDS, workloads: 40, callEveryMs: 5_000 },
      nodes: ['steeple', 'steeple'],
    })
    expect(report).toMatchObject({
      ...{ failures: 0, failed: [], refusals: [], expired: 0, broken: [], trouble: [] },
    })
    expect(report.signers.length).toBeGreaterThan(1)
    expect(report.callsAfterRotation).toBeGreaterThan(100)
    expect(report.calls - report.callsAfterRotation).toBeGreaterThan(100)
    expect(report.echoes).toBeGreaterThan(100)
    expect(report.svids).toBeGreaterThan(100)
  },
)
