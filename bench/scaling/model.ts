/**
 * What a server of any size needs, worked out of measured points. Pure. Operations cost what they cost at the largest size that was
 * measured, where code is warm and waiting work is done together; what grows with agents or entries is a straight line through all sizes.
 */
import type { Engine } from './engine.ts'
import type { AgentsPoint, Each, EntriesPoint, FollowPoint, Points } from './points.ts'

/** A straight line: `base` at nothing, and `each` more for each. */
export interface Line {
  readonly base: number
  readonly each: number
}

export interface Model {
  readonly engine: Engine
  /** An agent attests and begins its stream; also taken for the renewal of its SVID, which does less. */
  readonly attest: Each
  /** An agent begins a new connection and stream, as each does every two to three minutes. */
  readonly reconnect: Each
  /** An SVID renewed: taken to be what an entry of a burst is until its SVID is there, which does more. */
  readonly renewal: Each
  /** One entry written by itself, pushed and its SVID signed. */
  readonly event: Each
  /** An entry written among two hundred. */
  readonly write: Each
  /** A change that another server of the same database has made. */
  readonly follow: Each
  /** A second of a server without agents, and of each agent. */
  readonly idleServer: Each
  readonly idleAgent: Each
  readonly baseMib: number
  readonly agentMib: number
  readonly entryMib: number
  /** Processor time of the server, which is how long it takes where it has a processor to itself. */
  readonly startSeconds: Line
  readonly databaseMib: Line
}

/** What is asked of all servers of one trust domain together. */
export interface Load {
  readonly agents: number
  readonly entries: number
  readonly servers: number
  readonly renewalsPerSecond: number
  readonly agentRenewalsPerSecond: number
  readonly reconnectsPerSecond: number
  readonly changesPerSecond: number
}

/** Of an agent's connection: two minutes, and up to fifty seconds more. */
const CONNECTION_SECONDS = 145

export interface Habits {
  readonly agents: number
  /** Each is one workload's, and so one SVID. */
  readonly entries: number
  readonly servers: number
  readonly ttlSeconds: number
  readonly agentTtlSeconds: number
  readonly changesPerSecond: number
}

/** SVIDs are renewed at half of their lives, those of agents too. */
export function steadyLoad(habits: Habits): Load {
  const { agents, entries, servers, changesPerSecond } = habits
  return {
    ...{ agents, entries, servers, changesPerSecond },
    renewalsPerSecond: entries / (habits.ttlSeconds / 2),
    agentRenewalsPerSecond: agents / (habits.agentTtlSeconds / 2),
    reconnectsPerSecond: agents / CONNECTION_SECONDS,
  }
}

export interface Need {
  /** Processors that are busy, of all servers together. */
  readonly cores: number
  /** Of that, in first threads: divided by the servers, what each one's is busy. */
  readonly firstThreads: number
  readonly databaseCores: number
  readonly statementsPerSecond: number
  readonly transactionsPerSecond: number
  /** Of each server, after a start. */
  readonly residentMib: number
  readonly startSeconds: number
  readonly databaseMib: number
}

export function needOf(model: Model, load: Load): Need {
  const { agents, entries, servers } = load
  const perSecond = (field: keyof Each) =>
    servers * model.idleServer[field] +
    agents * model.idleAgent[field] +
    load.renewalsPerSecond * model.renewal[field] +
    load.agentRenewalsPerSecond * model.attest[field] +
    load.reconnectsPerSecond * model.reconnect[field] +
    load.changesPerSecond * (model.event[field] + (servers - 1) * model.follow[field])
  return {
    cores: perSecond('micros') / 1e6,
    firstThreads: perSecond('firstMicros') / 1e6,
    databaseCores: perSecond('databaseMicros') / 1e6,
    statementsPerSecond: perSecond('statements'),
    transactionsPerSecond: perSecond('transactions'),
    residentMib: model.baseMib + (agents / servers) * model.agentMib + entries * model.entryMib,
    startSeconds: at(model.startSeconds, entries),
    databaseMib: at(model.databaseMib, entries),
  }
}

/** How busy a first thread may be on average: beyond it, what comes at once waits for each other. */
export const USABLE = 0.6
/** So many may be away, and the others still have time for everything. */
const SPARE_SERVERS = 1

/** How many servers the load needs; what each further one costs the others is part of it. */
export function serversFor(model: Model, load: Omit<Load, 'servers'>, most: number): number {
  for (let servers = 1; servers < most; servers++) {
    const need = needOf(model, { ...load, servers })
    if (need.firstThreads / servers <= USABLE) return servers + SPARE_SERVERS
  }
  return most
}

export const at = ({ base, each }: Line, count: number): number => base + each * count

/** @returns what has to be measured before there can be models of both engines; undefined: nothing */
export function lackingFor({ agents, entries, follow }: Points): string | undefined {
  for (const engine of ['sqlite', 'postgres'] as const) {
    const counts = [agents, entries].map((all) => all.filter((one) => one.engine === engine).length)
    if (Math.min(...counts) < 2) return `${engine} has not two sizes of agents and of entries`
  }
  return follow === undefined ? 'nobody has followed another server' : undefined
}

/** @throws Error when something is lacking */
export function modelOf(engine: Engine, points: Points): Model {
  const agents = points.agents.filter((one) => one.engine === engine)
  const entries = points.entries.filter((one) => one.engine === engine)
  const [most, largest] = [agents.at(-1), entries.at(-1)]
  if (most === undefined || largest === undefined || agents.length < 2 || entries.length < 2) {
    throw new Error(`a model of ${engine} needs two sizes of agents and of entries`)
  }
  const idle = idleLines(agents)
  const memory = memoryLines(agents, entries)
  return {
    ...{ engine, attest: most.attest, reconnect: most.reconnect, renewal: most.deploy },
    ...{ event: most.event, write: largest.write, follow: followOf(points.follow, engine) },
    ...idle,
    ...memory,
    startSeconds: line(
      entries,
      (one) => one.entries,
      (one) => one.startCpuSeconds,
    ),
    databaseMib: line(
      entries,
      (one) => one.entries,
      (one) => one.databaseMib,
    ),
  }
}

const FIELDS = ['micros', 'firstMicros', 'databaseMicros', 'statements', 'transactions'] as const

function idleLines(agents: readonly AgentsPoint[]): Pick<Model, 'idleServer' | 'idleAgent'> {
  const lines = FIELDS.map((field) =>
    line(
      agents,
      (one) => one.agents,
      (one) => one.idle[field],
    ),
  )
  const of = (part: (line: Line) => number): Each => {
    const [micros = 0, firstMicros = 0, databaseMicros = 0, statements = 0, transactions = 0] =
      lines.map((one) => Math.max(0, part(one)))
    return { micros, firstMicros, databaseMicros, statements, transactions }
  }
  return { idleServer: of(({ base }) => base), idleAgent: of((one) => one.each) }
}

function memoryLines(agents: readonly AgentsPoint[], entries: readonly EntriesPoint[]) {
  const ofAgents = line(
    agents,
    (one) => one.agents,
    (one) => one.residentMib,
  )
  const ofEntries = line(
    entries,
    (one) => one.entries,
    (one) => one.residentAfterStartMib,
  )
  return { baseMib: ofEntries.base, agentMib: ofAgents.each, entryMib: ofEntries.each }
}

const NOTHING: Each = {
  micros: 0,
  firstMicros: 0,
  databaseMicros: 0,
  statements: 0,
  transactions: 0,
}

/** SQLite serves one server: there is no other one to follow. */
function followOf(follow: FollowPoint | undefined, engine: Engine): Each {
  if (engine === 'sqlite') return NOTHING
  if (follow === undefined) throw new Error('a model of postgres needs the part follow')
  return follow.follow
}

/** The straight line with the least squares, of two points or more. */
export function line<T>(
  points: readonly T[],
  x: (point: T) => number,
  y: (point: T) => number,
): Line {
  const mean = (of: (point: T) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [meanX, meanY] = [mean(x), mean(y)]
  const covariance = mean((point) => (x(point) - meanX) * (y(point) - meanY))
  const variance = mean((point) => (x(point) - meanX) ** 2)
  const each = covariance / variance
  return { base: meanY - each * meanX, each }
}
