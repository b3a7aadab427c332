/**
 * How the server grows: with agents, with entries, on either database. Points are measured one by one and kept; model, pictures and
 * tables are made of all that are there. Parts: `agents-N`, `entries-N`, `mix`, `follow`,
 * `report` (nothing is measured), on `sqlite` or `postgres` if they are named, else on both.
 */
import { lackingPostgres } from '../../test/processes/postgres.ts'
import type { Engine } from './engine.ts'
import { measureAgents } from './measure-agents.ts'
import { measureEntries } from './measure-entries.ts'
import { measureFollow } from './measure-follow.ts'
import { measureMix } from './measure-mix.ts'
import { keepPoint, type Point } from './points.ts'
import { writeReport } from './report.ts'

const AGENTS = [10, 100, 1_000]
const ENTRIES = [1_000, 10_000, 100_000]
const ENGINES: readonly Engine[] = ['sqlite', 'postgres']

/** @param parts none: everything */
export async function benchScaling(parts: readonly string[]): Promise<void> {
  const wanted = (names: readonly string[]) => {
    const asked = names.filter((name) => parts.includes(name))
    return asked.length > 0 ? asked : names
  }
  const engines = ENGINES.filter((one) => wanted(ENGINES).includes(one) && isThere(one))
  const works = parts.filter((part) => !ENGINES.some((engine) => engine === part))
  for (const engine of engines) {
    for (const work of works.length > 0 ? works : everything(engine)) {
      const point = await measure(engine, work)
      if (point !== undefined) keepPoint(point)
    }
  }
  writeReport()
}

function everything(engine: Engine): readonly string[] {
  return [
    ...AGENTS.map((count) => `agents-${count}`),
    ...ENTRIES.map((count) => `entries-${count}`),
    ...(engine === 'postgres' ? ['follow'] : []),
    'mix',
  ]
}

/** @returns undefined when there is nothing to measure: the report is made of what is there */
async function measure(engine: Engine, work: string): Promise<Point | undefined> {
  const { what, count } = /^(?<what>agents|entries)-(?<count>\d+)$/.exec(work)?.groups ?? {}
  if (what === 'agents') return { kind: what, point: await measureAgents(engine, Number(count)) }
  if (what === 'entries') return { kind: what, point: await measureEntries(engine, Number(count)) }
  if (work === 'mix') return { kind: work, point: await measureMix(engine) }
  if (work === 'follow' && engine === 'postgres')
    return { kind: work, point: await measureFollow() }
  if (work === 'report') return undefined
  throw new Error(`${work} is no part: agents-N, entries-N, mix, report, or of postgres follow`)
}

function isThere(engine: Engine): boolean {
  if (engine === 'sqlite' || lackingPostgres === undefined) return true
  console.log(`scaling   without PostgreSQL: ${lackingPostgres}`)
  return false
}
