/**
 * A run: writers, workloads and whatever must happen once go on while one fault follows another. Then all is mended, and
 * what servers and agents have is compared with what was acknowledged. Says what it saw; whoever calls decides.
 */
import { parseBundlePem } from '../../spiffe/bundle/pem.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { reasonOf } from '../../spiffe/error.ts'
import { parseTrustDomain } from '../../spiffe/id.ts'
import { seeded } from '../fakes/seeded.ts'
import { listEntries } from '../kill/entries.ts'
import { createRecord } from '../kill/record.ts'
import { until } from '../processes/process.ts'
import type { SimulatedAgent } from '../processes/simulated-agent.ts'
import { stateOf, writeEntries } from './entry-writer.ts'
import { createExpectations, type Expectations, type Seen } from './expectations.ts'
import { deal, type Fault, inflict } from './faults.ts'
import { doTwice, similarOnes } from './once-only.ts'
import { createOutages } from './outages.ts'
import { type ChaosReport, spreadOf } from './report.ts'
import { TRUST_DOMAIN } from './servers.ts'
import {
  keptId,
  keptSpiffeId,
  openSetting,
  pathOf,
  type Setting,
  type SettingOptions,
} from './setting.ts'
import { judgeTurns } from './turn-logs.ts'
import { probeWorkloads } from './workload-probe.ts'

export interface ChaosOptions extends SettingOptions {
  readonly seconds: number
  /** Repeats what was chosen: faults, whom they hit, for how long, and writes. When the kernel runs whom is never the same. */
  readonly seed: number
  /** Ends it early, with a report of what was done until then. */
  readonly signal: AbortSignal
  /** Told of every fault as it ends. */
  onFault(fault: Fault): void
}

/**
 * What is acknowledged, every agent that can reach any server that reaches the database knows within this time; a deleted
 * entry is then gone everywhere, with its SVID.
 */
export const BOUND_MS = 15_000
const WRITERS = 4
const LOOK_MS = 100
/** Between two faults. */
const CALM_MS = 4_000
const WRITTEN = 'written'
/** Of what an agent said that should not have ended. */
const LAST_CHARS = 6_000

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seconds, seed } = options
  const startedMs = nowMs()
  await using setting = await openSetting(options)
  const run = openRun(setting, seed)
  const over = new AbortController()
  const fromMs = nowMs()
  const readyMs = fromMs - startedMs
  const stop = AbortSignal.any([options.signal, over.signal])
  const written = writing(run, stop)
  const inflicted: Fault[] = []
  const hurting = async () => {
    for (const kind of deal(run.random)) {
      await clock.sleep(CALM_MS, stop)
      if (stop.aborted || nowMs() - fromMs > seconds * 1_000) return
      const fault = await inflict(kind, { ...run, databaseAway: run.outages.during })
      inflicted.push(fault)
      options.onFault(fault)
    }
  }
  const watching = new AbortController()
  const looks = look(run, watching.signal)
  try {
    await Promise.race([hurting(), written])
  } catch (error) {
    run.faults.push(`the run could not go on: ${reasonOf(error)}`)
  } finally {
    over.abort()
  }
  // A writer that threw has been noted; what it saw until then is lost.
  const { once, probes } = await written.catch(() => NOTHING_SEEN)
  await settle(run)
  watching.abort()
  const worstPauseMs = await looks
  return {
    ...{ seed, agents: options.agents, seconds: Math.round((nowMs() - fromMs) / 1_000), readyMs },
    faultsInflicted: inflicted.length,
    ...{ acknowledged: run.record.acknowledged, unanswered: run.record.unanswered },
    boundMs: BOUND_MS,
    knownAfterMs: spreadOf(run.expectations.delaysMs.present),
    goneAfterMs: spreadOf(run.expectations.delaysMs.absent),
    ...{ once, probes, worstPauseMs, agentsMoved: movesOf(setting) },
    ...judgeLogs(run),
  }
}

const clock = systemClock
const NOTHING_SEEN: Awaited<ReturnType<typeof writing>> = {
  once: { tokens: 0, spent: 0, pairs: 0, created: 0 },
  probes: { asked: 0, verified: 0 },
}
const nowMs = () => clock.now().getTime()

interface Run extends Pick<Setting, 'servers' | 'postgres' | 'simulated' | 'real'> {
  readonly bundlePem: string
  readonly random: ReturnType<typeof seeded>
  readonly clock: typeof clock
  readonly outages: ReturnType<typeof createOutages>
  readonly record: ReturnType<typeof createRecord>
  readonly expectations: Expectations
  /** By the agent's path. */
  readonly agents: ReadonlyMap<string, SimulatedAgent>
  readonly parents: Map<string, string>
  readonly faults: string[]
}

function openRun(setting: Setting, seed: number): Run {
  const outages = createOutages(clock)
  const agents = new Map(setting.simulated.map((agent) => [pathOf(agent.id), agent]))
  const parents = new Map<string, string>()
  const expectations = createExpectations({
    boundMs: BOUND_MS,
    excusedMs: outages.overlapMs,
    nameOf: (key) => `entry ${key} at ${parents.get(key)}`,
  })
  for (const [path, { id }] of agents) {
    parents.set(keptId(id), path)
    expectations.expect(keptId(id), { kind: 'present', revision: 0 }, nowMs())
  }
  const { servers, postgres, simulated, real, bundlePem } = setting
  return {
    ...{ servers, postgres, simulated, real, bundlePem, random: seeded(seed), clock },
    ...{ outages, record: createRecord('entry'), expectations, agents, parents, faults: [] },
  }
}

async function writing(run: Run, stop: AbortSignal) {
  const { servers, random, record, expectations, agents, parents, real } = run
  const fault = (what: string) => run.faults.push(what)
  const expect = (key: string, parent: string, wanted: Parameters<Expectations['expect']>[1]) => {
    parents.set(key, parent)
    expectations.expect(key, wanted, nowMs())
  }
  const writer = (at: number) =>
    writeEntries(
      {
        prefix: `${WRITTEN}-${at}`,
        ...{ servers, record, random, clock, expect, fault, parents: [...agents.keys()] },
      },
      stop,
    )
  const bundle = parseBundlePem(run.bundlePem, parseTrustDomain(TRUST_DOMAIN))
  const probed = real.map(({ kind, socket, id }) => {
    return { name: `${kind} agent`, socket, spiffeId: keptSpiffeId(id) }
  })
  const [once, probes] = await Promise.all([
    doTwice({ servers, bundle, random, clock, fault }, stop),
    probeWorkloads({ probes: probed, clock, fault }, stop),
    ...Array.from({ length: WRITERS }, (_, at) => writer(at)),
  ])
  return { once, probes }
}

/** Looks at all agents until the signal aborts. @returns the longest time between two looks, which is what any delay may owe to this program */
async function look({ expectations, agents, parents }: Run, stop: AbortSignal): Promise<number> {
  const seenOf = (key: string): Seen => {
    const agent = agents.get(parents.get(key) ?? '')
    const record = agent?.entry(key)
    const isThere = record !== undefined && record.goneMs === undefined
    return { revision: isThere ? record.revision : undefined, holds: agent?.holds(key) ?? false }
  }
  let [lastMs, worstMs] = [nowMs(), 0]
  while (!stop.aborted) {
    expectations.check(nowMs(), seenOf)
    await clock.sleep(LOOK_MS, stop)
    const now = nowMs()
    worstMs = Math.max(worstMs, now - lastMs)
    lastMs = now
  }
  return worstMs
}

/** After the last fault: everything that was acknowledged is everywhere, and the same everywhere. */
async function settle(run: Run): Promise<void> {
  const { servers, expectations, faults, record, agents } = run
  const attempt = async (what: string, work: () => Promise<unknown>) => {
    await work().catch((error) => faults.push(`${what}: ${reasonOf(error)}`))
  }
  await attempt('servers after all', async () => {
    await Promise.all(servers.map((server) => server.ready()))
  })
  await attempt('agents after all', () =>
    until('everything to be known', async () => expectations.open().length === 0, 2 * BOUND_MS),
  )
  await attempt('entries after all', async () => {
    const lists = await Promise.all(servers.map(({ admin }) => listEntries(admin)))
    const [first = []] = lists
    for (const list of lists) {
      const found = list.filter(({ id }) => id.startsWith(WRITTEN))
      faults.push(...record.judge(new Map(found.map((entry) => [entry.id, stateOf(entry)]))))
    }
    faults.push(...similarOnes(first))
    await until('agents to know what is in the database', async () => {
      const ids = new Map<string, string[]>()
      for (const { id, parent_id: parent } of first) {
        if (parent !== null) ids.set(parent.path, [...(ids.get(parent.path) ?? []), id])
      }
      return [...agents].every(([path, agent]) => {
        const known = [...agent.entryIds()].sort().join()
        return known === (ids.get(path) ?? []).sort().join()
      })
    })
  })
  const stopped = run.simulated.flatMap((agent) => agent.stopped() ?? [])
  faults.push(...stopped.map((why) => `an agent has stopped: ${why}`))
  for (const { kind, process: running } of run.real) {
    const how = await Promise.race([running().ended, undefined])
    if (how === undefined) continue
    const said = running().output().slice(-LAST_CHARS)
    faults.push(`${kind} agent has ended with ${how}, and said last: ${said}`)
  }
}

function judgeLogs({ servers, faults, expectations }: Run) {
  const logs = servers.flatMap((server) =>
    server.logs().map((log) => ({ server: server.name, ...log })),
  )
  const { turns, begun, faults: overlaps } = judgeTurns(logs)
  return {
    turns: { names: turns, begun },
    faults: [...faults, ...expectations.faults, ...overlaps],
  }
}

const movesOf = ({ simulated }: Setting) =>
  simulated.reduce((sum, agent) => sum + agent.syncs() - 1, 0)
