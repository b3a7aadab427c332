/** What writes in the model of the change feed: short transactions, long ones, some undone; and what cuts their connections. */
import { recordChanges } from '../../../../server/store/postgres/change-log.ts'
import { type Connection, connect } from '../../../../server/store/postgres/connection.ts'
import type { PostgresConfig } from '../../../../server/store/postgres/postgres-config.ts'
import type { Store } from '../../../../server/store/store.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { IdentityError } from '../../../../spiffe/error.ts'
import { idOf, newEntry } from '../../entries/sample-entry.ts'

export interface FeedPlan {
  readonly config: PostgresConfig
  /** Opens one more store on that database. */
  readonly openStore: () => Promise<Store>
  readonly stores: number
  /** Loops that write on each store, beside one with long transactions. */
  readonly writersPerStore: number
  /** Of each of these loops. */
  readonly writes: number
  /** How often a connection is ended; undefined: never. */
  readonly killEveryMs: number | undefined
  readonly seed: number
}

/** One of the servers: its number, and what it writes to. */
export interface Writer {
  readonly name: number
  readonly store: Store
}

/** What was asked for and what came of it. */
export interface Tally {
  acknowledged: number
  refused: number
  unavailable: number
  undone: number
  killed: number
  /** Unique entry → when its creation was acknowledged, and by which server. */
  readonly created: Map<string, { readonly at: number; readonly server: number }>
  readonly applied: Map<string, { readonly at: number; readonly server: number }[]>
}

const ENTRIES = 60
const AGENTS = 6
const agentOf = (n: number) => idOf(`/spire/agent/x509pop/${n % AGENTS}`)
/** Of what a long transaction does before and after it takes its place in the log. */
const LONG_MS = 30

export async function writeAll(
  server: Writer,
  writer: number,
  plan: FeedPlan,
  tally: Tally,
  random: () => number,
): Promise<void> {
  for (let i = 0; i < plan.writes; i++) {
    try {
      await writeOne(server, `${server.name}-${writer}-${i}`, tally, random)
      tally.acknowledged += 1
    } catch (error) {
      if (!(error instanceof IdentityError && error.code === 'UNAVAILABLE')) throw error
      tally.unavailable += 1
    }
  }
}

async function writeOne(
  { store, name: server }: Writer,
  name: string,
  tally: Tally,
  random: () => number,
): Promise<void> {
  const n = Math.floor(random() * ENTRIES)
  const fields = { spiffeId: idOf(`/w/${n}`), parentId: agentOf(n), id: `e${n}` }
  const choice = Math.floor(random() * 8)
  switch (choice) {
    case 0:
    case 1: {
      const id = `once-${name}`
      await store.entries.create([newEntry({ ...fields, id, spiffeId: idOf(`/once/${name}`) })])
      tally.created.set(id, { at: performance.now(), server })
      return
    }
    case 2:
      await store.entries.create([newEntry(fields), newEntry({ ...fields, id: undefined })])
      return
    case 3: {
      const parentId = agentOf(n + 1)
      await store.entries.update([{ id: `e${n}`, change: (entry) => ({ ...entry, parentId }) }])
      return
    }
    case 4: {
      const refuse = () => {
        throw new IdentityError('ENTRY_INVALID', 'refused by the model')
      }
      const [result] = await store.entries.update([{ id: `e${n}`, change: refuse }])
      if (result?.kind === 'refused') tally.refused += 1
      return
    }
    case 5:
      await store.entries.remove([`e${n}`, `e${n + 1}`])
      return
    case 6:
      await store.nodes.attest({
        id: agentOf(n),
        attestationType: 'x509pop',
        serialNumber: name,
        expiresAt: new Date(0),
        canReattest: true,
        selectors: [],
      })
      return
    default:
      await store.nodes.remove(agentOf(n))
  }
}

/** Takes its place in the log early, in the middle or late, and stays open; every third is undone. */
export async function writeLong(
  connection: Connection,
  { writes }: FeedPlan,
  tally: Tally,
  random: () => number,
): Promise<void> {
  const stay = () => random() * LONG_MS
  for (let i = 0; i < writes / 4; i++) {
    const id = `long-${Math.floor(random() * 1e9)}`
    try {
      await connection.write(async (session) => {
        await session.run('select pg_sleep($1::float8 / 1000)', stay())
        await session.run('insert into join_tokens (token_hash, expires_at) values ($1, 0)', id)
        const record = { kind: 'bundle', key: `${id}.example` } as const
        await recordChanges(session, [record], systemClock.now())
        await session.run('select pg_sleep($1::float8 / 1000)', stay() / 4)
        if (i % 3 === 0) throw new Undone()
      })
      tally.acknowledged += 1
    } catch (error) {
      if (error instanceof Undone) tally.undone += 1
      else if (error instanceof IdentityError && error.code === 'UNAVAILABLE')
        tally.unavailable += 1
      else throw error
    }
  }
}

class Undone extends Error {
  override readonly name = 'Undone'
}

const KILL = `select count(pg_terminate_backend(pid)) as killed from (
    select pid from pg_stat_activity where datname = current_database() and application_name <> 'killer'
      and backend_type = 'client backend' order by random() limit 1) one`

export async function killAll(
  { config, killEveryMs }: FeedPlan,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  if (killEveryMs === undefined) return
  const primary = { ...config.primary, applicationName: 'killer' }
  const connection = connect({ config: { ...config, primary }, clock: systemClock })
  while (!signal.aborted) {
    await systemClock.sleep(killEveryMs, signal)
    const done = await connection.reads.one<{ killed: number }>(KILL)
    tally.killed += done?.killed ?? 0
  }
  await connection.close()
}
