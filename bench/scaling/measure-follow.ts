/** Two servers on one PostgreSQL: what it costs the second one that something changes which none of its agents is concerned with. */
import { systemClock } from '../../spiffe/clock.ts'
import { startServer } from '../../test/processes/cluster.ts'
import { openAdminEntries } from './admin-entries.ts'
import { openMeasured } from './engine.ts'
import { spentOn } from './meter.ts'
import { each, type FollowPoint, rounded } from './points.ts'

const CHANGES = 300
const APART_MS = 30
const SETTLE_MS = 5_000
const IDLE_MS = 15_000

export async function measureFollow(): Promise<FollowPoint> {
  await using one = await openMeasured('postgres')
  using entries = openAdminEntries(one.server)
  const parentId = `spiffe://${one.server.trustDomain}/node/0`
  const change = async (what: string) => {
    for (let round = 0; round < CHANGES; round++) {
      await entries.create([{ parentId, path: `/${what}/${round}`, ttlSeconds: 0 }])
      await systemClock.sleep(APART_MS)
    }
  }
  const idle = async (measured: typeof one) => {
    await systemClock.sleep(SETTLE_MS)
    const { spent } = await spentOn(measured, () => systemClock.sleep(IDLE_MS))
    return each(spent, spent.seconds)
  }
  const idleAlone = await idle(one)
  const { spent: spentAlone } = await spentOn(one, () => change('alone'))
  const alone = each(spentAlone, CHANGES, idleAlone)
  await using second = await startServer('steeple', { dataStore: one.dataStore ?? '' })
  const two = { ...one, server: second }
  const idleTwo = await idle(two)
  const { spent: spentTwo } = await spentOn(two, () => change('two'))
  const both = each(spentTwo, CHANGES, idleTwo)
  return {
    changes: CHANGES,
    follow: {
      // Of the second server alone, as it was the one that was looked at; the database serves both.
      ...{ micros: both.micros, firstMicros: both.firstMicros },
      databaseMicros: rounded(Math.max(0, both.databaseMicros - alone.databaseMicros)),
      statements: rounded(Math.max(0, both.statements - alone.statements)),
      transactions: rounded(Math.max(0, both.transactions - alone.transactions)),
    },
  }
}
