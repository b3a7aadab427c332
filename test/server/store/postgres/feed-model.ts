/**
 * Many writers on several stores over one PostgreSQL: short and long transactions, some undone, connections
 * that are ended at random. Each store is followed by an entry index and by a checker of its log, and in the
 * end every index is compared with the tables.
 */
import { createEntryIndex, type EntryIndex } from '../../../../server/entries/entry-index.ts'
import { followChanges } from '../../../../server/entries/follow-changes.ts'
import { eachPage } from '../../../../server/store/page.ts'
import { connect } from '../../../../server/store/postgres/connection.ts'
import type { Store } from '../../../../server/store/store.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { seeded } from '../../../fakes/seeded.ts'
import { until } from '../../../processes/process.ts'
import { exampleOrg } from '../../entries/sample-entry.ts'
import { type FeedPlan, killAll, type Tally, writeAll, writeLong } from './feed-writers.ts'
import { checkLog, type LogChecker } from './log-checker.ts'

export interface FeedReport {
  readonly acknowledged: number
  readonly refused: number
  /** Writes answered with UNAVAILABLE. */
  readonly unavailable: number
  readonly undone: number
  readonly killed: number
  readonly records: number
  /** From the answer to a writer until another server's index has it, sorted. */
  readonly delaysMs: readonly number[]
  /** Broken promises of the log, as any of its readers saw them. */
  readonly violations: readonly string[]
  /** What an index has other than the tables. */
  readonly differences: readonly string[]
}

export async function runFeedModel(plan: FeedPlan): Promise<FeedReport> {
  await using stack = new AsyncDisposableStack()
  const random = seeded(plan.seed)
  const tally: Tally = {
    ...{ acknowledged: 0, refused: 0, unavailable: 0, undone: 0, killed: 0 },
    ...{ created: new Map(), applied: new Map() },
  }
  const servers: Server[] = []
  for (let n = 0; n < plan.stores; n++) {
    servers.push(await openServer(n, stack.use(await plan.openStore()), tally, random, stack))
  }
  const long = stack.adopt(connect({ config: plan.config, clock: systemClock }), (c) => c.close())
  const writers = servers.flatMap((server) =>
    Array.from({ length: plan.writersPerStore }, (_, w) =>
      writeAll(server, w, plan, tally, random),
    ),
  )
  const killing = new AbortController()
  const killer = killAll(plan, tally, killing.signal)
  await Promise.all([...writers, ...servers.map(() => writeLong(long, plan, tally, random))])
  killing.abort()
  await killer

  const [first] = servers
  if (first === undefined) throw new Error('no store')
  await until('every index to be where the log ends', async () => {
    const latest = await first.store.changes.latest()
    return servers.every((server) => server.place() === latest)
  })
  for (const server of servers) await server.checker.readAll()
  return {
    ...tally,
    records: await first.store.changes.latest(),
    delaysMs: delaysOf(tally),
    violations: servers.flatMap(({ name, checker }) =>
      checker.violations.map((violation) => `server ${name}: ${violation}`),
    ),
    differences: await differencesOf(servers, first.store, tally),
  }
}

interface Server {
  readonly name: number
  readonly store: Store
  readonly index: EntryIndex
  readonly checker: LogChecker
  place(): number
}

async function openServer(
  name: number,
  store: Store,
  tally: Tally,
  random: () => number,
  stack: AsyncDisposableStack,
): Promise<Server> {
  const index = createEntryIndex(exampleOrg)
  const stop = new AbortController()
  const ready = Promise.withResolvers<void>()
  let place = 0
  const following = followChanges(
    {
      store,
      index: {
        ...index,
        apply: (change) => {
          if (change.kind === 'entry' && change.entry !== undefined)
            noteApplied(tally, change.id, name)
          return index.apply(change)
        },
      },
      clock: systemClock,
      onAffected: () => {},
      onBundles: () => {},
      onPlace: (sequence) => {
        place = sequence
      },
      onFailure: () => {},
      onReady: ready.resolve,
    },
    stop.signal,
  )
  stack.defer(async () => {
    stop.abort()
    await following
  })
  await ready.promise
  const checker = stack.use(await checkLog(store.changes, random))
  return { name, store, index, checker, place: () => place }
}

function noteApplied(tally: Tally, id: string, server: number): void {
  if (!id.startsWith('once-')) return
  const list = tally.applied.get(id) ?? []
  if (!list.some((one) => one.server === server)) list.push({ at: performance.now(), server })
  tally.applied.set(id, list)
}

function delaysOf({ created, applied }: Tally): readonly number[] {
  return [...created]
    .flatMap(([id, { at, server }]) =>
      (applied.get(id) ?? [])
        .filter((one) => one.server !== server)
        // Heard before its writer had its answer.
        .map((one) => Math.max(0, one.at - at)),
    )
    .sort((a, b) => a - b)
}

/** All of the tables against each index, both ways; and what nobody removes is there once it was acknowledged. */
async function differencesOf(
  servers: readonly Server[],
  store: Store,
  { created }: Tally,
): Promise<readonly string[]> {
  const differences: string[] = []
  const entries = new Map<string, string>()
  for await (const page of eachPage((request) => store.entries.list({}, request), 1_000)) {
    for (const entry of page) {
      entries.set(entry.id, JSON.stringify(entry))
      for (const { name, index } of servers) {
        const known = index.entryFor(entry.parentId, entry.id)
        if (JSON.stringify(known) === JSON.stringify(entry)) continue
        differences.push(`server ${name}: entry ${entry.id} is ${JSON.stringify(known)}`)
      }
    }
  }
  const lost = [...created.keys()].filter((id) => !entries.has(id))
  if (lost.length > 0) differences.push(`entries ${lost} were acknowledged and are not there`)
  const nodes = new Set<string>()
  for await (const page of eachPage((request) => store.nodes.list({}, request), 1_000)) {
    for (const { id } of page) nodes.add(id)
  }
  for (const { name, index } of servers) {
    const known = new Set<string>(index.nodeIds())
    const gone = [...index.entryIds()].filter((id) => !entries.has(id))
    if (gone.length > 0) differences.push(`server ${name}: entries ${gone} are gone`)
    const other = [...known.symmetricDifference(nodes)]
    if (other.length > 0) differences.push(`server ${name}: nodes ${other} differ`)
  }
  return differences
}
