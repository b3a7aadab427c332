/** What was measured, size by size. Pure. */
import type { Engine } from './engine.ts'
import type { AgentsPoint, Each, EntriesPoint } from './points.ts'
import { cpu, figure, markdownTable, size } from './table.ts'

export const NAMES: Readonly<Record<Engine, string>> = { sqlite: 'SQLite', postgres: 'PostgreSQL' }

type Row<P> = readonly [what: string, read: (point: P) => string]

/** With the database's own when there is one beside the server. */
const both = ({ micros, databaseMicros }: Each) =>
  databaseMicros === 0 ? cpu(micros) : `${cpu(micros)} + ${cpu(databaseMicros)}`

const counted = (value: number) => (value === 0 ? '' : figure(value))

const AGENT_ROWS: readonly Row<AgentsPoint>[] = [
  ['nothing happens: CPU a second', ({ idle }) => both(idle)],
  ['nothing happens: statements a second', ({ idle }) => counted(idle.statements)],
  ['nothing happens: transactions a second', ({ idle }) => counted(idle.transactions)],
  ['memory of the server', ({ residentMib }) => size(residentMib)],
  ['an agent attests and begins its stream: CPU', ({ attest }) => both(attest)],
  ['the same: statements', ({ attest }) => counted(attest.statements)],
  ['an agent begins a new connection and stream: CPU', ({ reconnect }) => both(reconnect)],
  ['entry created → SVID at its agent, median', ({ eventP50Ms }) => figure(eventP50Ms, 'ms')],
  ['the same, 99th of a hundred', ({ eventP99Ms }) => figure(eventP99Ms, 'ms')],
  ['the same: CPU', ({ event }) => both(event)],
  ['the same: statements', ({ event }) => counted(event.statements)],
  ['one entry for all agents → the last SVID', ({ fanOutMs }) => figure(fanOutMs, 'ms')],
  ['the same: CPU for each agent', ({ fanOut }) => both(fanOut)],
  ['the same: statements for each agent', ({ fanOut }) => counted(fanOut.statements)],
  ['entries created by hundreds → SVIDs: CPU for each', ({ deploy }) => both(deploy)],
]

const ENTRY_ROWS: readonly Row<EntriesPoint>[] = [
  ['an entry written among two hundred: CPU', ({ write }) => both(write)],
  ['the same: statements', ({ write }) => counted(write.statements)],
  ['entries written a second', ({ writesPerSecond }) => figure(writesPerSecond)],
  ['memory when they have been written', ({ residentMib }) => size(residentMib)],
  ['memory after a start', ({ residentAfterStartMib }) => size(residentAfterStartMib)],
  ['start until an agent has its entries', ({ startSeconds }) => figure(startSeconds, 's')],
  ['the same: CPU', ({ startCpuSeconds }) => figure(startCpuSeconds, 's')],
  ['size of the database', ({ databaseMib }) => size(databaseMib)],
  ['entry created → SVID at its agent, median', ({ eventP50Ms }) => figure(eventP50Ms, 'ms')],
  ['the same, 99th of a hundred', ({ eventP99Ms }) => figure(eventP99Ms, 'ms')],
  ['the same: CPU', ({ event }) => both(event)],
]

export const agentsTable = (points: readonly AgentsPoint[]): readonly string[] =>
  tableOf(points, ({ agents }) => `${agents.toLocaleString('en')} agents`, AGENT_ROWS)

export const entriesTable = (points: readonly EntriesPoint[]): readonly string[] =>
  tableOf(points, ({ entries }) => `${entries.toLocaleString('en')} entries`, ENTRY_ROWS)

function tableOf<P extends { readonly engine: Engine }>(
  points: readonly P[],
  title: (point: P) => string,
  rows: readonly Row<P>[],
): readonly string[] {
  const head = ['', ...points.map((point) => `${NAMES[point.engine]}, ${title(point)}`)]
  return markdownTable([
    head,
    ...rows.map(([what, read]) => [what, ...points.map((point) => read(point))]),
  ])
}
