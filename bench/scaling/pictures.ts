/** How each figure grows from ten to a thousand agents, and from a thousand entries on. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from './engine.ts'
import { type Plot, pictureOf } from './plot.ts'
import type { AgentsPoint, EntriesPoint, Points } from './points.ts'

const ENGINES: readonly { readonly engine: Engine; readonly name: string }[] = [
  { engine: 'sqlite', name: 'SQLite' },
  { engine: 'postgres', name: 'PostgreSQL' },
]
const FOLDER = join(import.meta.dirname, '..')

/** Into bench/scaling-agents.svg and bench/scaling-entries.svg. */
export function drawPictures(points: Points): void {
  writeFileSync(join(FOLDER, 'scaling-agents.svg'), pictureOf(agentPlots(points)))
  writeFileSync(join(FOLDER, 'scaling-entries.svg'), pictureOf(entryPlots(points)))
}

type Part<P> = readonly [suffix: string, read: (point: P) => number]

function agentPlots({ agents }: Points): readonly Plot[] {
  const plot = (title: string, y: string, ...parts: readonly Part<AgentsPoint>[]): Plot => ({
    ...{ title, y, x: 'agents' },
    series: seriesOf(agents, ({ agents: count }) => count, parts),
  })
  return [
    plot('Nothing happens: server, a second', 'ms of CPU', ['', (p) => p.idle.micros / 1_000]),
    plot('Memory of the server', 'MiB', ['', (p) => p.residentMib]),
    plot(
      'Entry created → SVID there',
      'ms',
      ['p50', (p) => p.eventP50Ms],
      ['p99', (p) => p.eventP99Ms],
    ),
    plot('The same: server, each', 'µs of CPU', ['', (p) => p.event.micros]),
    plot('One entry for all: until the last SVID', 'ms', ['', (p) => p.fanOutMs]),
    plot('The same: server, each agent', 'µs of CPU', ['', (p) => p.fanOut.micros]),
    plot('Agent attested: server, each', 'µs of CPU', ['', (p) => p.attest.micros]),
    plot('Connection begun anew: server, each', 'µs of CPU', ['', (p) => p.reconnect.micros]),
  ]
}

function entryPlots({ entries }: Points): readonly Plot[] {
  const plot = (title: string, y: string, ...parts: readonly Part<EntriesPoint>[]): Plot => ({
    ...{ title, y, x: 'entries' },
    series: seriesOf(entries, ({ entries: count }) => count, parts),
  })
  return [
    plot('Memory after a start', 'MiB', ['', (p) => p.residentAfterStartMib]),
    plot('Start until agents are served', 's of CPU', ['', (p) => p.startCpuSeconds]),
    plot('Entry written: server, each', 'µs of CPU', ['', (p) => p.write.micros]),
    plot(
      'Entry created → SVID there',
      'ms',
      ['p50', (p) => p.eventP50Ms],
      ['p99', (p) => p.eventP99Ms],
    ),
    plot('The same: server, each', 'µs of CPU', ['', (p) => p.event.micros]),
    plot('Size of the database', 'MiB', ['', (p) => p.databaseMib]),
  ]
}

function seriesOf<P extends { readonly engine: Engine }>(
  points: readonly P[],
  size: (point: P) => number,
  parts: readonly Part<P>[],
) {
  return ENGINES.flatMap(({ engine, name }) => {
    const own = points.filter((point) => point.engine === engine)
    return parts.map(([suffix, read]) => ({
      name: `${name} ${suffix}`.trim(),
      points: own.map((point) => ({ x: size(point), y: read(point) })),
    }))
  }).filter((one) => one.points.length > 0)
}
