/**
 * A server with a hundred thousand entries: how fast they are created, what it holds in memory, how soon after a start an agent
 * gets its entries, and what each such answer costs. SPIRE's server and ours, same configuration file, in turn.
 */

import { systemClock } from '../../spiffe/clock.ts'
import { attestByHand, byToken } from '../../test/interop/suites/node-by-hand.ts'
import { generateToken, type Kind, startServer } from '../../test/processes/cluster.ts'
import { keepFigures, median, print } from './figures.ts'
import { createEntries } from './many-entries.ts'
import { type Cost, costFigures, measureLoad, type Work } from './measure-load.ts'
import { getAuthorizedEntries } from './method.ts'
import { cpuMicros, residentKib } from './process-cost.ts'
import { openRawCalls } from './raw-calls.ts'
import { type Start, startAnew } from './start-anew.ts'

const ENTRIES = 100_000
/** Of the node that asks. */
const OWN = 10
const STARTS = 3
/** For what a start leaves to the collector. */
const SETTLE_MS = 5_000

interface Found {
  readonly createdPerSecond: number
  readonly createMicros: number
  readonly afterCreatingMib: number
  readonly startSeconds: number
  readonly startCpuSeconds: number
  readonly afterStartMib: number
  readonly authorized: Cost
}

/** @param wanted a number of entries instead of a hundred thousand */
export async function benchEntries(
  kinds: readonly Kind[],
  wanted: readonly string[],
): Promise<void> {
  const count = Number(wanted[0] ?? ENTRIES)
  const found = new Map<Kind, Found>()
  for (const kind of kinds) found.set(kind, await measure(kind, count))
  const of = (read: (one: Found) => number) =>
    new Map([...found].map(([kind, one]) => [kind, read(one)]))
  const shown = count.toLocaleString('en')
  const cost = (what: string, unit: string, read: (one: Found) => number) =>
    print({ what: `${shown} entries: ${what}`, unit, of: of(read), isCost: true })
  const created = of(({ createdPerSecond }) => createdPerSecond)
  const figures = [
    print({ what: `${shown} entries: created a second`, unit: '', of: created, isCost: false }),
    cost('processor time to create one', 'µs', ({ createMicros }) => createMicros),
    cost('memory when they have been created', 'MiB', (one) => one.afterCreatingMib),
    cost('start until an agent gets its entries', 's', ({ startSeconds }) => startSeconds),
    cost('processor time until then', 's', ({ startCpuSeconds }) => startCpuSeconds),
    cost('memory after a start', 'MiB', ({ afterStartMib }) => afterStartMib),
    ...costFigures(
      `GetAuthorizedEntries, ${OWN} entries of ${shown}`,
      new Map([...found].map(([kind, { authorized }]) => [kind, authorized])),
    ),
  ]
  keepFigures('entries', figures)
}

async function measure(kind: Kind, count: number): Promise<Found> {
  await using server = await startServer(kind)
  const node = await attestByHand(server, byToken(await generateToken(server)))
  const { pid } = server.process()
  const [since, before] = [performance.now(), cpuMicros(pid)]
  await createEntries(server, { parentId: undefined, pathPrefix: '/workload/', count })
  const seconds = (performance.now() - since) / 1_000
  const createMicros = (cpuMicros(pid) - before) / count
  await createEntries(server, { parentId: node.id, pathPrefix: '/own/', count: OWN })
  await systemClock.sleep(SETTLE_MS)
  const afterCreatingMib = residentKib(pid) / 1024
  const starts: Start[] = []
  for (let start = 0; start < STARTS; start++) starts.push(await startAnew(server, node, OWN))
  await systemClock.sleep(SETTLE_MS)
  const afterStartMib = residentKib(server.process().pid) / 1024
  await using calls = await openRawCalls(server, node)
  return {
    ...{ createdPerSecond: count / seconds, createMicros, afterCreatingMib, afterStartMib },
    startSeconds: median(starts.map(({ startSeconds }) => startSeconds)),
    startCpuSeconds: median(starts.map(({ startCpuSeconds }) => startCpuSeconds)),
    authorized: await measureLoad(server, calls, authorizedWork()),
  }
}

function authorizedWork(): Work {
  const method = getAuthorizedEntries()
  return {
    ...{ what: 'GetAuthorizedEntries', method, bodies: [method.message({})], each: 1 },
    ...{ concurrency: 8, calls: 1_500 },
    check(answer) {
      // Cast: the answer to GetAuthorizedEntries.
      const { entries } = answer as { readonly entries: readonly unknown[] }
      if (entries.length !== OWN) throw new Error(`${entries.length} entries, not ${OWN}`)
    },
  }
}
