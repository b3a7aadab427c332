/** What was measured, point by point, kept beside the benchmark so that model and pictures can be made of it again. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from './engine.ts'
import type { Spent } from './meter.ts'
import type { Load } from './model.ts'

/** What one of something costs; `Spent` divided by their number. */
export type Each = Omit<Spent, 'seconds'>

/** A server with so many agents, and hardly any entries but theirs. */
export interface AgentsPoint {
  readonly engine: Engine
  readonly agents: number
  /** An agent attests by a join token made for it, and begins its stream. */
  readonly attest: Each
  /** A second in which nothing happens: heartbeats, probes, polls. */
  readonly idle: Each
  readonly residentMib: number
  /** One entry created by itself, pushed to its agent, and its SVID signed. */
  readonly event: Each
  readonly eventP50Ms: number
  readonly eventP99Ms: number
  /** One entry that concerns every agent, for each of them. */
  readonly fanOut: Each
  readonly fanOutMs: number
  /** An agent begins a new connection and stream. */
  readonly reconnect: Each
  /** An entry among hundreds in a call, pushed and its SVID signed. */
  readonly deploy: Each
}

/** A server with so many entries, and one agent. */
export interface EntriesPoint {
  readonly engine: Engine
  readonly entries: number
  /** In calls of two hundred. */
  readonly write: Each
  readonly writesPerSecond: number
  readonly residentMib: number
  readonly databaseMib: number
  /** From the start of the process until an agent is given its entries. */
  readonly startSeconds: number
  readonly startCpuSeconds: number
  readonly residentAfterStartMib: number
  readonly event: Each
  readonly eventP50Ms: number
  readonly eventP99Ms: number
}

/** Two servers on one PostgreSQL, and one of them has nothing to do with what the other one changes. */
export interface FollowPoint {
  readonly changes: number
  /** What a single change costs the one that only hears of it, and the database for its sake. */
  readonly follow: Each
}

/** Everything at once, at a size and at rates that no constant was made of. */
export interface MixPoint {
  readonly engine: Engine
  /** What was asked of the server, as counted. */
  readonly load: Load
  readonly second: Each
  readonly residentMib: number
  readonly eventP50Ms: number
  readonly eventP99Ms: number
}

export interface Points {
  readonly agents: readonly AgentsPoint[]
  readonly entries: readonly EntriesPoint[]
  readonly follow?: FollowPoint | undefined
  readonly mix: readonly MixPoint[]
}

const FILE = join(import.meta.dirname, 'points.json')

export function readPoints(): Points {
  const none: Points = { agents: [], entries: [], mix: [] }
  if (!existsSync(FILE)) return none
  // Cast: this program wrote it.
  return { ...none, ...(JSON.parse(readFileSync(FILE, 'utf8')) as Partial<Points>) }
}

export type Point =
  | { readonly kind: 'agents'; readonly point: AgentsPoint }
  | { readonly kind: 'entries'; readonly point: EntriesPoint }
  | { readonly kind: 'follow'; readonly point: FollowPoint }
  | { readonly kind: 'mix'; readonly point: MixPoint }

/** A point takes the place of an older one of the same size. */
export function keepPoint(one: Point): void {
  const before = readPoints()
  const after = withPoint(before, one)
  console.log(`scaling   ${one.kind} ${JSON.stringify(one.point)}`)
  writeFileSync(FILE, `${JSON.stringify(after, undefined, 2)}\n`)
}

function withPoint(before: Points, one: Point): Points {
  switch (one.kind) {
    case 'agents':
      return { ...before, agents: replaced(before.agents, one.point, ({ agents }) => agents) }
    case 'entries':
      return { ...before, entries: replaced(before.entries, one.point, ({ entries }) => entries) }
    case 'follow':
      return { ...before, follow: one.point }
    case 'mix':
      return { ...before, mix: replaced(before.mix, one.point, ({ load }) => load.agents) }
    default:
      return one satisfies never
  }
}

function replaced<T extends { readonly engine: Engine }>(
  all: readonly T[],
  point: T,
  size: (one: T) => number,
): readonly T[] {
  const others = all.filter((one) => one.engine !== point.engine || size(one) !== size(point))
  return [...others, point].toSorted(
    (a, b) => b.engine.localeCompare(a.engine) || size(a) - size(b),
  )
}

const DIGITS = 4

/** @param base what a second costs by itself, taken off */
export function each(spent: Spent, count: number, base?: Each): Each {
  const one = (field: keyof Each) => {
    const own = spent[field] - spent.seconds * (base?.[field] ?? 0)
    return rounded(Math.max(0, own) / count)
  }
  return {
    micros: one('micros'),
    firstMicros: one('firstMicros'),
    databaseMicros: one('databaseMicros'),
    statements: one('statements'),
    transactions: one('transactions'),
  }
}

export const rounded = (value: number): number => Number(value.toPrecision(DIGITS))
