/**
 * `node test/soak/change-feed.ts [rounds] [seed]`: many writers on five stores over one PostgreSQL, ten rounds unless told
 * otherwise, every second one with connections that are ended at random. Prints how long commits of one server took
 * to be in the indexes of the others, and ends with 1 when a log broke its promise or an index differs from the tables.
 */

import { startPostgres } from '../processes/postgres.ts'
import { type FeedReport, runFeedModel } from '../server/store/postgres/feed-model.ts'
import { configOf, openPostgresStore } from '../server/store/postgres/open-for-test.ts'

const STORES = 5
const WRITERS_PER_STORE = 4
const WRITES = 250
const KILL_EVERY_MS = 60

const [rounds = 10, seed = 1] = process.argv.slice(2).map(Number)

function quantile(sorted: readonly number[], part: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1)
}

function print(round: number, kind: string, report: FeedReport): void {
  const { delaysMs, violations, differences, ...counts } = report
  const numbers = Object.entries(counts)
    .filter(([, value]) => typeof value === 'number')
    .map(([name, value]) => `${name} ${value}`)
  const delays = `ms until another index has it: p50 ${quantile(delaysMs, 0.5)}, p99 ${quantile(delaysMs, 0.99)}, most ${quantile(delaysMs, 1)}`
  process.stdout.write(`round ${round}, ${kind}: ${numbers.join(', ')}; ${delays}\n`)
  for (const fault of [...violations, ...differences]) process.stdout.write(`  ${fault}\n`)
}

await using postgres = await startPostgres()
let faults = 0
for (let round = 1; round <= rounds; round++) {
  const database = `round${round}`
  await postgres.createDatabase(database)
  const isCalm = round % 2 === 1
  const report = await runFeedModel({
    config: configOf(postgres, database),
    openStore: () => openPostgresStore(postgres, database),
    ...{ stores: STORES, writersPerStore: WRITERS_PER_STORE, writes: WRITES },
    killEveryMs: isCalm ? undefined : KILL_EVERY_MS,
    seed: seed + round,
  })
  print(round, isCalm ? 'calm' : 'connections ended at random', report)
  faults += report.violations.length + report.differences.length
}
process.exitCode = faults === 0 ? 0 : 1
