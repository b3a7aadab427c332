/**
 * What is done to servers and database. One fault at a time, each mended before the next, so that there always are two
 * servers that could serve; the database alone can be away for everybody. Which comes when is the seed's choice, and in
 * a long run every kind comes equally often.
 */
import type { Clock } from '../../spiffe/clock.ts'
import type { Random } from '../../spiffe/random.ts'
import { below, pick } from '../fakes/seeded.ts'
import type { Postgres } from '../processes/postgres.ts'
import { type Cut, cut, mend } from './network.ts'
import type { ChaosServer } from './servers.ts'

export type FaultKind =
  | 'kill a server'
  | 'kill two servers'
  | 'stop a server in its tracks'
  | 'restart the database'
  | 'crash the database'
  | 'end all connections to the database'
  | `cut a server off from ${'the database' | 'agents' | 'everybody'}`
  | 'let a server hear no agent'

export interface FaultDeps {
  readonly servers: readonly ChaosServer[]
  readonly postgres: Postgres
  readonly clock: Clock
  readonly random: Random
  /** Around what keeps every server from the database. */
  databaseAway(work: () => Promise<void>): Promise<void>
}

/** One line of the report. */
export interface Fault {
  readonly kind: FaultKind
  readonly whom: string
  readonly fromMs: number
  readonly untilMs: number
}

const CUTS: Partial<Record<FaultKind, Cut>> = {
  'cut a server off from the database': 'database',
  'cut a server off from agents': 'agents',
  'cut a server off from everybody': 'everybody',
  'let a server hear no agent': 'unheard',
}
export const FAULT_KINDS: readonly FaultKind[] = [
  'kill a server',
  'cut a server off from the database',
  'restart the database',
  'cut a server off from agents',
  'stop a server in its tracks',
  'kill two servers',
  'cut a server off from everybody',
  'crash the database',
  'let a server hear no agent',
  'end all connections to the database',
]
/** How long a server is away, and the database. */
const AWAY_MS = { least: 3_000, most: 20_000 }
const DATABASE_MS = { least: 200, most: 4_000 }

/** A new order of all kinds each time. */
export function* deal(random: Random): Generator<FaultKind, never> {
  for (;;) {
    const left = [...FAULT_KINDS]
    while (left.length > 0) yield* left.splice(below(random, left.length), 1)
  }
}

/** Does it, waits, and mends it. @returns when the servers that were away answer again */
export async function inflict(kind: FaultKind, deps: FaultDeps): Promise<Fault> {
  const { servers, clock, random } = deps
  const fromMs = clock.now().getTime()
  const one = pick(random, servers)
  if (one === undefined) throw new Error('there are no servers')
  const away = () => clock.sleep(between(AWAY_MS, random))
  const whom = await act(kind, one, { ...deps, away })
  return { kind, whom, fromMs, untilMs: clock.now().getTime() }
}

interface Acting extends FaultDeps {
  away(): Promise<void>
}

async function act(kind: FaultKind, one: ChaosServer, deps: Acting): Promise<string> {
  const { servers, away } = deps
  switch (kind) {
    case 'kill a server':
      await killed([one], away)
      return one.name
    case 'kill two servers': {
      const two = servers.filter((server) => server !== one)
      await killed(two, away)
      return two.map(({ name }) => name).join(' and ')
    }
    case 'stop a server in its tracks':
      one.pause()
      await away()
      one.goOn()
      return one.name
    case 'restart the database':
    case 'crash the database':
    case 'end all connections to the database':
      await shake(kind, deps)
      return 'the database'
    default: {
      await cut(one.netns, CUTS[kind] ?? 'everybody')
      await away()
      await mend(one.netns)
      return one.name
    }
  }
}

async function killed(victims: readonly ChaosServer[], away: () => Promise<void>): Promise<void> {
  await Promise.all(victims.map((victim) => victim.kill()))
  await away()
  for (const victim of victims) victim.launch()
  await Promise.all(victims.map((victim) => victim.ready()))
}

async function shake(kind: FaultKind, deps: FaultDeps): Promise<void> {
  const { postgres, clock, random, databaseAway } = deps
  if (kind === 'end all connections to the database') {
    const all =
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()'
    await postgres.sql(`${all} and backend_type = 'client backend'`)
    return
  }
  await databaseAway(async () => {
    if (kind === 'restart the database') return await postgres.restart()
    await postgres.kill()
    await clock.sleep(between(DATABASE_MS, random))
    await postgres.startAgain()
  })
}

const between = ({ least, most }: { least: number; most: number }, random: Random) =>
  least + below(random, most - least)
