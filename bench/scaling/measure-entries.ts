/** One server and so many entries, hardly any of which are its one agent's: what they cost to write, to hold, and to begin with. */

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../spiffe/clock.ts'
import { attestByHand, byToken } from '../../test/interop/suites/node-by-hand.ts'
import { generateToken } from '../../test/processes/cluster.ts'
import { byJoinTokens, simulateAgents } from '../../test/processes/simulated-agents.ts'
import { createEntries } from '../issuing/many-entries.ts'
import { residentKib } from '../issuing/process-cost.ts'
import { startAnew } from '../issuing/start-anew.ts'
import { openAdminEntries } from './admin-entries.ts'
import { DATABASE, type Engine, type Measured, openMeasured } from './engine.ts'
import { EVENTS, measureEvents } from './measure-agents.ts'
import { spentOn } from './meter.ts'
import { type EntriesPoint, each, rounded } from './points.ts'

const SETTLE_MS = 5_000
const IDLE_MS = 10_000
const OWN = 10
const MIB = 1 << 20

export async function measureEntries(engine: Engine, count: number): Promise<EntriesPoint> {
  await using measured = await openMeasured(engine)
  const { server } = measured
  const node = await attestByHand(server, byToken(await generateToken(server)))
  const { spent: written } = await spentOn(measured, () =>
    createEntries(server, { parentId: undefined, pathPrefix: '/workload/', count }),
  )
  await createEntries(server, { parentId: node.id, pathPrefix: '/own/', count: OWN })
  await systemClock.sleep(SETTLE_MS)
  const residentMib = rounded(residentKib(server.process().pid) / 1024)
  const events = await eventsOf(measured)
  const databaseMib = await sizeOf(measured)
  const { startSeconds, startCpuSeconds } = await startAnew(server, node, OWN)
  await systemClock.sleep(SETTLE_MS)
  return {
    ...{ engine, entries: count },
    write: each(written, count),
    writesPerSecond: rounded(count / written.seconds),
    ...{ residentMib, databaseMib },
    startSeconds: rounded(startSeconds),
    startCpuSeconds: rounded(startCpuSeconds),
    residentAfterStartMib: rounded(residentKib(server.process().pid) / 1024),
    ...events,
  }
}

async function eventsOf(measured: Measured) {
  const { server } = measured
  const { stdout: bundlePem } = await server.cli('steeple', 'bundle', 'show')
  await using simulation = await simulateAgents({
    servers: [{ host: '127.0.0.1', port: server.port }],
    ...{ trustDomain: server.trustDomain, bundlePem, count: 1 },
    attestorOf: byJoinTokens(server.socket),
  })
  using entries = openAdminEntries(server)
  await systemClock.sleep(SETTLE_MS)
  const { spent: idle } = await spentOn(measured, () => systemClock.sleep(IDLE_MS))
  const { spent, p50, p99 } = await measureEvents({ measured, simulation, entries })
  const event = each(spent, EVENTS, each(idle, idle.seconds))
  return { event, eventP50Ms: p50, eventP99Ms: p99 }
}

async function sizeOf({ postgres, server }: Measured): Promise<number> {
  const bytes =
    postgres === undefined
      ? statSync(join(server.dir, 'datastore.sqlite3')).size
      : Number(await postgres.sql(`select pg_database_size('${DATABASE}')`))
  return rounded(bytes / MIB)
}
