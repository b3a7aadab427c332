/** The model as people read it: its constants, how well it foretold what it was not made of, and what it says of sizes that nobody measured. Pure. */
import type { Engine } from './engine.ts'
import { type Limit, limitsOf } from './limits.ts'
import { type Habits, type Model, modelOf, needOf, serversFor, steadyLoad } from './model.ts'
import { NAMES } from './point-tables.ts'
import type { Each, MixPoint, Points } from './points.ts'
import { cpu, figure, markdownTable, size } from './table.ts'

const ENGINES: readonly Engine[] = ['sqlite', 'postgres']
/** An entry of each agent changes every ten minutes; SVIDs live as long as they do by default. */
const CHANGES_PER_AGENT_SECOND = 1 / 600
const TTL_SECONDS = 3_600
const SIZES = [
  { agents: 1_000, entries: 100_000 },
  { agents: 10_000, entries: 1_000_000 },
  { agents: 10_000, entries: 10_000_000 },
  { agents: 100_000, entries: 1_000_000 },
  { agents: 100_000, entries: 10_000_000 },
] as const
const MOST_SERVERS = 200

const habitsOf = ({ agents, entries }: { agents: number; entries: number }): Habits => ({
  ...{ agents, entries, servers: 1, ttlSeconds: TTL_SECONDS, agentTtlSeconds: TTL_SECONDS },
  changesPerSecond: agents * CHANGES_PER_AGENT_SECOND,
})

export function constantsTable(points: Points): readonly string[] {
  const models = ENGINES.map((engine) => modelOf(engine, points))
  const row = (what: string, read: (model: Model) => string) => [what, ...models.map(read)]
  const spent = (one: Each) => {
    const database =
      one.databaseMicros === 0 ? '' : `; ${cpu(one.databaseMicros)}, ${figure(one.statements)} st.`
    return `${cpu(one.micros)} (${cpu(one.firstMicros)})${database}`
  }
  return markdownTable([
    ['constant', ...models.map(({ engine }) => NAMES[engine])],
    row('`idleServer`, a second', ({ idleServer }) => spent(idleServer)),
    row('`idleAgent`, a second', ({ idleAgent }) => spent(idleAgent)),
    row('`attest`', ({ attest }) => spent(attest)),
    row('`reconnect`', ({ reconnect }) => spent(reconnect)),
    row('`renewal`', ({ renewal }) => spent(renewal)),
    row('`event`', ({ event }) => spent(event)),
    row('`follow`', (model) => (model.engine === 'sqlite' ? '' : spent(model.follow))),
    row('`write`', ({ write }) => spent(write)),
    row('`baseMib`', ({ baseMib }) => size(baseMib)),
    row('`agentMib`', ({ agentMib }) => size(agentMib)),
    row('`entryMib`', ({ entryMib }) => size(entryMib)),
    row('`startSeconds`, each million', ({ startSeconds }) => figure(startSeconds.each * 1e6, 's')),
    row('`databaseMib`, each entry', ({ databaseMib }) => size(databaseMib.each)),
  ])
}

export function checkTable(points: Points): readonly string[] {
  const lines = points.mix.flatMap((mix) => {
    const foretold = needOf(modelOf(mix.engine, points), mix.load)
    const row = (what: string, said: number, was: number, show: (value: number) => string) => [
      `${NAMES[mix.engine]}: ${what}`,
      ...[show(said), show(was)],
      `${said >= was ? '+' : '−'}${Math.round(100 * Math.abs(said / was - 1))} %`,
    ]
    const busy = (cores: number) => cpu(cores * 1e6)
    const second = (field: keyof Each) => mix.second[field] / 1e6
    const own = [
      row('CPU a second', foretold.cores, second('micros'), busy),
      row('of that, first thread', foretold.firstThreads, second('firstMicros'), busy),
      row('memory', foretold.residentMib, mix.residentMib, size),
    ]
    if (mix.engine === 'sqlite') return own
    return [
      ...own,
      row('database, CPU a second', foretold.databaseCores, second('databaseMicros'), busy),
      row('statements a second', foretold.statementsPerSecond, mix.second.statements, figure),
      row('transactions a second', foretold.transactionsPerSecond, mix.second.transactions, figure),
    ]
  })
  return [
    ...points.mix.map(saidOf),
    '',
    ...markdownTable([['', 'model', 'measured', 'deviation'], ...lines]),
  ]
}

function saidOf({ engine, load, eventP50Ms, eventP99Ms }: MixPoint): string {
  const { agents, entries, renewalsPerSecond, reconnectsPerSecond, changesPerSecond } = load
  const rates = `${figure(renewalsPerSecond)} renewals, ${figure(reconnectsPerSecond)} new connections and ${figure(changesPerSecond)} changes a second`
  const times = `entry created → SVID p50 ${figure(eventP50Ms, 'ms')}, p99 ${figure(eventP99Ms, 'ms')}`
  return `- ${NAMES[engine]}: ${agents} agents, ${entries.toLocaleString('en')} entries; ${rates}; ${times}.`
}

export function forecastTable(points: Points): readonly string[] {
  const model = modelOf('postgres', points)
  const needs = SIZES.map((sizes) => {
    const load = steadyLoad(habitsOf(sizes))
    const servers = serversFor(model, load, MOST_SERVERS)
    return { load, servers, need: needOf(model, { ...load, servers }) }
  })
  type One = (typeof needs)[number]
  const row = (what: string, read: (one: One) => string) => [what, ...needs.map(read)]
  const short = (count: number) => (count >= 1e6 ? `${count / 1e6} M` : `${count / 1e3} k`)
  return markdownTable([
    [
      '',
      ...SIZES.map(({ agents, entries }) => `${short(agents)} agents, ${short(entries)} entries`),
    ],
    row('renewals a second', ({ load }) => figure(load.renewalsPerSecond)),
    row('servers, one of them to spare', ({ servers }) => String(servers)),
    row('cores busy, all servers', ({ need }) => figure(need.cores)),
    row(
      'first thread of each',
      ({ need, servers }) => `${Math.round((100 * need.firstThreads) / servers)} %`,
    ),
    row('memory of each server', ({ need }) => size(need.residentMib)),
    row('start of a server, CPU', ({ need }) => figure(need.startSeconds, 's')),
    row('database: cores busy', ({ need }) => figure(need.databaseCores)),
    row('database: statements a second', ({ need }) => figure(need.statementsPerSecond)),
    row('database: transactions a second', ({ need }) => figure(need.transactionsPerSecond)),
    row('database: size', ({ need }) => size(need.databaseMib)),
  ])
}

export function limitsTable(points: Points): readonly string[] {
  const of = ENGINES.map((engine) => limitsOf(modelOf(engine, points), habitsOf(SIZES[0])))
  const [first = [], ...others] = of
  const shown = ({ size: count, of: what }: Limit) => `${figure(count)} ${what}`
  const lines = first.map((limit) => [
    `${limit.of === 'changes a second' ? 'changes' : limit.of}: ${limit.what}`,
    shown(limit),
    ...others.map((limits) => {
      const same = limits.find(({ what }) => what === limit.what)
      return same === undefined ? '' : shown(same)
    }),
  ])
  return markdownTable([['one server, when', ...ENGINES.map((engine) => NAMES[engine])], ...lines])
}
