/**
 * One server and so many simulated agents, which say to it what real agents say: what each of them costs while nothing happens,
 * what a change costs until the last one who is concerned has its SVID, and how soon that is.
 */
import { systemClock } from '../../spiffe/clock.ts'
import type { SimulatedAgent } from '../../test/processes/simulated-agent.ts'
import {
  byJoinTokens,
  type Simulation,
  simulateAgents,
} from '../../test/processes/simulated-agents.ts'
import { residentKib } from '../issuing/process-cost.ts'
import { spread } from '../percentiles.ts'
import { type AdminEntries, openAdminEntries } from './admin-entries.ts'
import { type Engine, type Measured, openMeasured } from './engine.ts'
import { type Spent, spentOn } from './meter.ts'
import { type AgentsPoint, each, rounded } from './points.ts'

/** For what a start, or work, leaves to the collector. */
const SETTLE_MS = 5_000
/** A heartbeat comes every three seconds, a probe every thirty. */
const IDLE_MS = 30_000
export const EVENTS = 200
/** Before them, until V8 has compiled what they take. */
const WARM_UP_EVENTS = 50
/** Between two, so that each is an event of its own. */
const APART_MS = 30
const FAN_OUTS = 2
const DEPLOYED_EACH = 2
const BATCH = 200
const LOOK_MS = 2
/** Looking is work, and the agents are in the same process. */
const LOOKS_PER_MS = 20
const PATIENCE_MS = 300_000

export const nowMs = () => systemClock.now().getTime()

/** What is there while one count of agents is measured. */
interface Scene {
  readonly measured: Measured
  readonly simulation: Simulation
  readonly entries: AdminEntries
  /** What a second costs when nothing happens. */
  readonly idle: AgentsPoint['idle']
}

export async function measureAgents(engine: Engine, count: number): Promise<AgentsPoint> {
  await using measured = await openMeasured(engine)
  const { server } = measured
  await systemClock.sleep(SETTLE_MS)
  const attested = await spentOn(measured, () => attestAll(measured, count))
  await using simulation = attested.value
  await systemClock.sleep(SETTLE_MS)
  const idle = await spentOn(measured, () => systemClock.sleep(IDLE_MS))
  const residentMib = rounded(residentKib(server.process().pid) / 1024)
  using entries = openAdminEntries(server)
  const everySecond = each(idle.spent, idle.spent.seconds)
  const scene: Scene = { measured, simulation, entries, idle: everySecond }
  const say = (what: string) => console.log(`scaling   ${engine}, ${count} agents: ${what}`)
  say('idle measured')
  const events = await measureEvents(scene)
  say('events measured')
  const reconnects = await measureReconnects(scene)
  say('reconnects measured')
  const fanOuts = await measureFanOuts(scene)
  say('fan-outs measured')
  const deploys = await measureDeploys(scene)
  return {
    ...{ engine, agents: count },
    attest: each(attested.spent, count),
    idle: everySecond,
    residentMib,
    event: each(events.spent, EVENTS, everySecond),
    eventP50Ms: events.p50,
    eventP99Ms: events.p99,
    fanOut: each(fanOuts.spent, FAN_OUTS * count, everySecond),
    fanOutMs: fanOuts.lastMs,
    reconnect: each(reconnects, count, everySecond),
    deploy: each(deploys, count * DEPLOYED_EACH, everySecond),
  }
}

export async function attestAll({ server }: Measured, count: number): Promise<Simulation> {
  const { stdout: bundlePem } = await server.cli('steeple', 'bundle', 'show')
  const simulation = await simulateAgents({
    servers: [{ host: '127.0.0.1', port: server.port }],
    ...{ trustDomain: server.trustDomain, bundlePem, count },
    attestorOf: byJoinTokens(server.socket),
  })
  await all('agents to be in sync', simulation.agents, (agent) => agent.isInSync())
  return simulation
}

/** Asks those again that were not there before. */
export async function all<T>(what: string, these: readonly T[], isThere: (one: T) => boolean) {
  const waiting = new Set(these)
  const end = nowMs() + PATIENCE_MS
  while (waiting.size > 0) {
    for (const one of waiting) if (isThere(one)) waiting.delete(one)
    if (waiting.size === 0) return
    if (nowMs() > end) throw new Error(`gave up waiting for ${waiting.size} ${what}`)
    await systemClock.sleep(LOOK_MS + waiting.size / LOOKS_PER_MS)
  }
}

export const svidMs = (agent: SimulatedAgent, entryId: string) => agent.entry(entryId)?.svidMs

/** One after the other, each for one agent. */
export async function measureEvents({
  measured,
  simulation: { agents },
  entries,
}: Omit<Scene, 'idle'>) {
  const times: number[] = []
  const someEvents = async (from: number, to: number) => {
    for (let round = from; round < to; round++) {
      const agent = agents[(round * 7919) % agents.length]
      if (agent === undefined) throw new Error('no agent')
      const since = nowMs()
      const [entryId = ''] = await entries.create([
        { parentId: agent.id, path: `/event/${round}`, ttlSeconds: 0 },
      ])
      await all('SVID', [agent], (one) => svidMs(one, entryId) !== undefined)
      times.push((svidMs(agent, entryId) ?? Number.NaN) - since)
      await systemClock.sleep(APART_MS)
    }
  }
  await someEvents(0, WARM_UP_EVENTS)
  times.length = 0
  const last = WARM_UP_EVENTS + EVENTS
  const { spent } = await spentOn(measured, () => someEvents(WARM_UP_EVENTS, last))
  const { p50, p99 } = spread(times)
  return { spent, p50, p99 }
}

/** All of them, as soon as they are let in. */
async function measureReconnects({ measured, simulation }: Scene): Promise<Spent> {
  const { spent } = await spentOn(measured, async () => {
    const before = new Map(simulation.agents.map((agent) => [agent, agent.syncs()]))
    for (const agent of simulation.agents) {
      agent.move()
      await systemClock.sleep(LOOK_MS * 3)
    }
    await all('streams', simulation.agents, (one) => one.syncs() > (before.get(one) ?? 0))
  })
  await systemClock.sleep(SETTLE_MS)
  return spent
}

/** Below an identity that each agent has a workload of. */
async function measureFanOuts({ measured, simulation, entries }: Scene) {
  const { agents } = simulation
  const shared = `spiffe://${measured.server.trustDomain}/shared`
  const wanted = agents.map(({ id }) => ({ parentId: id, path: '/shared', ttlSeconds: 0 }))
  await createAll(entries, wanted)
  await all('first SVIDs', agents, (one) => one.entryIds().every((id) => one.holds(id)))
  await systemClock.sleep(SETTLE_MS)
  const times: number[] = []
  const { spent } = await spentOn(measured, async () => {
    for (let round = 0; round < FAN_OUTS; round++) {
      const since = nowMs()
      const [entryId = ''] = await entries.create([
        { parentId: shared, path: `/fan-out/${round}`, ttlSeconds: 0 },
      ])
      await all('SVIDs', agents, (one) => svidMs(one, entryId) !== undefined)
      const last = agents.reduce((ms, one) => Math.max(ms, svidMs(one, entryId) ?? 0), 0)
      times.push(last - since)
    }
  })
  return { spent, lastMs: spread(times).p50 }
}

export async function createAll(
  entries: AdminEntries,
  wanted: Parameters<AdminEntries['create']>[0],
): Promise<readonly string[]> {
  const ids: string[] = []
  for (let from = 0; from < wanted.length; from += BATCH) {
    ids.push(...(await entries.create(wanted.slice(from, from + BATCH))))
  }
  return ids
}

/** Entries of many workloads at once, until each has its SVID. */
async function measureDeploys({ measured, simulation, entries }: Scene): Promise<Spent> {
  const { agents } = simulation
  const wanted = Array.from({ length: agents.length * DEPLOYED_EACH }, (_, at) => ({
    ...{ parentId: agents[at % agents.length]?.id ?? '', path: `/deployed/${at}`, ttlSeconds: 0 },
  }))
  const { spent } = await spentOn(measured, async () => {
    const ids = await createAll(entries, wanted)
    const pairs = ids.map((id, at) => ({ id, agent: agents[at % agents.length] }))
    await all('deployed SVIDs', pairs, ({ id, agent }) => agent?.holds(id) === true)
  })
  return spent
}
