/** What a piece of work has cost a server and its database, as the kernel and PostgreSQL count it. */
import { readdirSync, readFileSync } from 'node:fs'
import type { Postgres } from '../../test/processes/postgres.ts'
import { firstThreadMicros } from '../issuing/process-cost.ts'
import { processorMicros } from '../proxy/cost.ts'
import { DATABASE, type Measured } from './engine.ts'

export interface Spent {
  readonly seconds: number
  /** Processor time of the server, all threads. */
  readonly micros: number
  /** Of that, in its first thread. */
  readonly firstMicros: number
  /** Processor time of all processes of the database; 0 for SQLite, which is within the server. */
  readonly databaseMicros: number
  /** As pg_stat_statements counts them, `begin` and `commit` among them. */
  readonly statements: number
  /** As pg_stat_database counts them, some seconds late. */
  readonly transactions: number
}

type Reading = Omit<Spent, 'seconds'> & { readonly atMs: number }

/** Runs the work. @returns what was spent from its beginning to its end, and what it gave */
export async function spentOn<T>(
  measured: Measured,
  work: () => Promise<T>,
): Promise<{ readonly spent: Spent; readonly value: T }> {
  const before = await read(measured)
  const value = await work()
  return { spent: difference(before, await read(measured)), value }
}

async function read({ server, postgres }: Measured): Promise<Reading> {
  const { pid } = server.process()
  const counted = postgres === undefined ? NOTHING : await countedBy(postgres)
  return {
    atMs: performance.now(),
    micros: processorMicros([pid]),
    firstMicros: firstThreadMicros(pid),
    databaseMicros: postgres === undefined ? 0 : familyMicros(postgres.process.pid),
    ...counted,
  }
}

function difference(before: Reading, after: Reading): Spent {
  return {
    seconds: (after.atMs - before.atMs) / 1_000,
    micros: after.micros - before.micros,
    firstMicros: after.firstMicros - before.firstMicros,
    databaseMicros: after.databaseMicros - before.databaseMicros,
    statements: after.statements - before.statements,
    transactions: after.transactions - before.transactions,
  }
}

const NOTHING = { statements: 0, transactions: 0 }

/** Asked in another database, so that the question is not counted. */
async function countedBy(postgres: Postgres): Promise<typeof NOTHING> {
  const text = await postgres.sql(
    `select coalesce(sum(s.calls), 0), d.xact_commit from pg_stat_database d
      left join pg_stat_statements s on s.dbid = d.datid
      where d.datname = '${DATABASE}' group by d.xact_commit`,
  )
  const [statements = 0, transactions = 0] = text.split('|').map(Number)
  return { statements, transactions }
}

const TICK_MICROS = 10_000

/** Of a process, its children, and those of them that have ended. */
function familyMicros(pid: number): number {
  let ticks = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fields = statOf(name)
    if (fields === undefined) continue
    const isIt = name === String(pid)
    if (!isIt && fields[1] !== String(pid)) continue
    ticks += Number(fields[11]) + Number(fields[12])
    if (isIt) ticks += Number(fields[13]) + Number(fields[14])
  }
  return ticks * TICK_MICROS
}

/** From its state on; undefined when it has just ended. */
function statOf(pid: string): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name, in parentheses, may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
