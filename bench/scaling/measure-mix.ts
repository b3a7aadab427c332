/** A server with everything at once, as in real life though faster: what the model is checked with. */
import { systemClock } from '../../spiffe/clock.ts'
import type { Simulation } from '../../test/processes/simulated-agents.ts'
import { createEntries } from '../issuing/many-entries.ts'
import { residentKib } from '../issuing/process-cost.ts'
import { spread } from '../percentiles.ts'
import { type AdminEntries, openAdminEntries } from './admin-entries.ts'
import { type Engine, openMeasured } from './engine.ts'
import { all, attestAll, createAll, nowMs, svidMs } from './measure-agents.ts'
import { spentOn } from './meter.ts'
import { each, type MixPoint, rounded } from './points.ts'

const AGENTS = 300
const SVIDS_EACH = 10
/** Renewed every forty seconds. */
const TTL_SECONDS = 80
const OTHER_ENTRIES = 20_000
const WINDOW_MS = 80_000
/** Between two changes. */
const CHANGE_MS = 250
/** Changes between two looks at all SVIDs. */
const LOOK_ROUNDS = 40

export async function measureMix(engine: Engine): Promise<MixPoint> {
  await using measured = await openMeasured(engine)
  const { server } = measured
  await createEntries(server, { parentId: undefined, pathPrefix: '/other/', count: OTHER_ENTRIES })
  await using simulation = await attestAll(measured, AGENTS)
  using entries = openAdminEntries(server)
  const { agents } = simulation
  const wanted = Array.from({ length: AGENTS * SVIDS_EACH }, (_, at) => ({
    ...{ parentId: agents[at % AGENTS]?.id ?? '', path: `/mix/${at}`, ttlSeconds: TTL_SECONDS },
  }))
  await createAll(entries, wanted)
  await all('SVIDs', agents, (one) => one.entryIds().filter(one.holds).length === SVIDS_EACH)
  const signed = countSigned(simulation)
  const streamsBefore = streamsOf(simulation)
  const { spent, value: times } = await spentOn(measured, () =>
    changeSteadily(simulation, entries, signed.look),
  )
  signed.look()
  const perSecond = (count: number) => rounded(count / spent.seconds)
  const { p50, p99 } = spread(times)
  return {
    engine,
    load: {
      ...{ agents: AGENTS, servers: 1, agentRenewalsPerSecond: 0 },
      entries: OTHER_ENTRIES + wanted.length + times.length,
      renewalsPerSecond: perSecond(signed.count() - times.length),
      reconnectsPerSecond: perSecond(streamsOf(simulation) - streamsBefore),
      changesPerSecond: perSecond(times.length),
    },
    second: each(spent, spent.seconds),
    residentMib: rounded(residentKib(server.process().pid) / 1024),
    ...{ eventP50Ms: p50, eventP99Ms: p99 },
  }
}

const streamsOf = ({ agents }: Simulation) => agents.reduce((sum, one) => sum + one.syncs(), 0)

/** Looked at so often that no SVID is renewed twice between two looks. */
function countSigned({ agents }: Simulation) {
  const known = new Map<string, number>()
  let count = 0
  const look = () => {
    for (const agent of agents) {
      for (const id of agent.entryIds()) {
        const obtainedMs = agent.svid(id)?.obtainedMs
        if (obtainedMs === undefined || known.get(id) === obtainedMs) continue
        known.set(id, obtainedMs)
        count += 1
      }
    }
  }
  look()
  count = 0
  return { look, count: () => count }
}

async function changeSteadily(
  { agents }: Simulation,
  entries: AdminEntries,
  look: () => void,
): Promise<readonly number[]> {
  const times: number[] = []
  const end = nowMs() + WINDOW_MS
  for (let round = 0; nowMs() < end; round++) {
    const agent = agents[(round * 7919) % agents.length]
    if (agent === undefined) throw new Error('no agent')
    const since = nowMs()
    const [entryId = ''] = await entries.create([
      { parentId: agent.id, path: `/change/${round}`, ttlSeconds: 0 },
    ])
    await all('SVID', [agent], (one) => svidMs(one, entryId) !== undefined)
    if (round % LOOK_ROUNDS === 0) look()
    times.push((svidMs(agent, entryId) ?? Number.NaN) - since)
    await systemClock.sleep(Math.max(0, CHANGE_MS - (nowMs() - since)))
  }
  return times
}
