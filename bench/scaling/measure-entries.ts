/** One server and so many entries, hardly any of which are its one agent's: what they cost to write, to hold, and to begin with. */

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../spiffe/clock.ts'
import { attestByHand, byToken, type Node } from '../../test/interop/suites/node-by-hand.ts'
import { generateToken, type Server } from '../../test/processes/cluster.ts'
import { byJoinTokens, simulateAgents } from '../../test/processes/simulated-agents.ts'
import { createEntries } from '../issuing/many-entries.ts'
import { getAuthorizedEntries } from '../issuing/method.ts'
import { cpuMicros, residentKib } from '../issuing/process-cost.ts'
import { openRawCalls } from '../issuing/raw-calls.ts'
import { openAdminEntries } from './admin-entries.ts'
import { DATABASE, type Engine, type Measured, openMeasured } from './engine.ts'
import { EVENTS, measureEvents } from './measure-agents.ts'
import { spentOn } from './meter.ts'
import { type EntriesPoint, each, rounded } from './points.ts'

const SETTLE_MS = 5_000
const IDLE_MS = 10_000
const OWN = 10
/** Short, for it is part of what is measured. */
const LOOK_MS = 50
const MAX_LOOKS = 10_000
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
  const start = await startAnew(server, node)
  await systemClock.sleep(SETTLE_MS)
  return {
    ...{ engine, entries: count },
    write: each(written, count),
    writesPerSecond: rounded(count / written.seconds),
    ...{ residentMib, databaseMib },
    ...start,
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

/** From the start of the process until the node's agent has been given its entries. */
async function startAnew(server: Server, node: Node) {
  server.process().kill('SIGTERM')
  await server.process().ended
  const since = performance.now()
  const healthy = server.restart()
  await untilServed(server, node)
  const startSeconds = rounded((performance.now() - since) / 1_000)
  const startCpuSeconds = rounded(cpuMicros(server.process().pid) / 1e6)
  await healthy
  return { startSeconds, startCpuSeconds }
}

async function untilServed(server: Server, node: Node): Promise<void> {
  const method = getAuthorizedEntries()
  for (let look = 0; look < MAX_LOOKS; look++) {
    try {
      await using calls = await openRawCalls(server, node)
      const answer = method.answer(await calls.call(method.path, method.message({})))
      // Cast: the answer to GetAuthorizedEntries.
      const { entries } = answer as { readonly entries: readonly unknown[] }
      if (entries.length === OWN) return
    } catch {} // not yet
    await systemClock.sleep(LOOK_MS)
  }
  throw new Error('the agent never got its entries')
}
