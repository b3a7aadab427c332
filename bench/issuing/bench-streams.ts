/**
 * A thousand workloads of one node, each with a connection and a stream of its own: memory of the agent for each, how long a new SVID
 * takes to all of them, and how an agent serves them that has only just started. SPIRE's agent under its server and ours under ours, in turn.
 */
import { existsSync } from 'node:fs'
import { systemClock } from '../../spiffe/clock.ts'
import {
  type Agent,
  generateToken,
  type Kind,
  launchAgent,
  type Server,
  startAgent,
  startServer,
} from '../../test/processes/cluster.ts'
import { until } from '../../test/processes/process.ts'
import { type Figure, keepFigures, median, print } from './figures.ts'
import { createEntries } from './many-entries.ts'
import { cpuMicros, residentKib } from './process-cost.ts'
import { openStreams } from './workload-streams.ts'

const STREAMS = 1_000
/** Opened and closed before memory is looked at, so that code and pools are there. */
const WARM_UP_STREAMS = 100
/** For the collector of garbage. */
const SETTLE_MS = 8_000
const PUSHES = { steeple: 9, spire: 3 } as const satisfies Record<Kind, number>
/** SPIRE's agent may never get there. */
const COLD_PATIENCE_MS = 60_000
const PARTS = ['open', 'cold'] as const

type Values = Map<string, Map<Kind, number>>
type Keep = (title: string, value: number) => void

export async function benchStreams(
  kinds: readonly Kind[],
  wanted: readonly string[],
): Promise<void> {
  const parts = PARTS.filter((part) => wanted.length === 0 || wanted.includes(part))
  const found: Values = new Map()
  for (const kind of kinds) {
    const keep: Keep = (title, value) => {
      found.set(title, (found.get(title) ?? new Map()).set(kind, value))
    }
    await using server = await startServer(kind)
    if (parts.includes('open')) await openAndPush(kind, server, keep)
    if (parts.includes('cold')) await coldAgent(kind, server, keep)
  }
  const figures: Figure[] = [...found].map(([what, of]) => {
    const [title = '', unit = ''] = what.split(', in ')
    return print({ what: title, unit, of, isCost: true })
  })
  keepFigures('streams', figures)
}

async function openAndPush(kind: Kind, server: Server, keep: Keep): Promise<void> {
  await using agent = await startAgent(kind, server)
  const { pid } = agent.process()
  await addEntry(server, agent, '/first')
  {
    using few = openStreams(agent.socket, WARM_UP_STREAMS)
    await few.received(1)
  }
  await systemClock.sleep(SETTLE_MS)
  const before = residentKib(pid)
  const since = performance.now()
  const cpuBefore = cpuMicros(pid)
  using streams = openStreams(agent.socket, STREAMS)
  const first = await streams.received(1)
  keep(
    '1,000 streams opened at once: the last one is served after, in s',
    secondsFrom(since, first),
  )
  keep(
    'the same: processor time of the agent for each, in µs',
    (cpuMicros(pid) - cpuBefore) / STREAMS,
  )
  await systemClock.sleep(SETTLE_MS)
  keep(
    'memory of the agent for each of 1,000 streams, in KiB',
    (residentKib(pid) - before) / STREAMS,
  )
  const spreads: number[] = []
  const lasts: number[] = []
  const cpuBeforePushes = cpuMicros(pid)
  for (let push = 1; push <= PUSHES[kind]; push++) {
    const asked = performance.now()
    await addEntry(server, agent, `/push/${push}`)
    const times = await streams.received(1 + push)
    spreads.push((times.at(-1) ?? 0) - (times[0] ?? 0))
    lasts.push((times.at(-1) ?? 0) - asked)
  }
  const pushMicros = (cpuMicros(pid) - cpuBeforePushes) / PUSHES[kind] / STREAMS
  keep('a new SVID to 1,000 streams: from the first to the last, in ms', median(spreads))
  keep('the same, from the call that creates its entry to the last, in ms', median(lasts))
  keep('the same: processor time of the agent for each stream, in µs', pushMicros)
}

/** The entry is there before the agent is. */
async function coldAgent(kind: Kind, server: Server, keep: Keep): Promise<void> {
  const token = await generateToken(server)
  const id = `spiffe://${server.trustDomain}/spire/agent/join_token/${token}`
  await addEntry(server, { id }, '/cold')
  await using agent = await launchAgent(kind, server, { joinToken: token })
  await until('the socket', async () => existsSync(agent.socket))
  const since = performance.now()
  using streams = openStreams(agent.socket, STREAMS)
  const patience = new AbortController()
  const times = await Promise.race([
    streams.received(1),
    systemClock.sleep(COLD_PATIENCE_MS, patience.signal).then(() => undefined),
  ])
  patience.abort()
  if (times === undefined) {
    console.log(`${kind}: not all of ${STREAMS} streams on a cold agent were served in a minute`)
    return
  }
  keep(
    '1,000 streams at once on an agent that has just started: the last one, in s',
    secondsFrom(since, times),
  )
}

const secondsFrom = (since: number, times: readonly number[]) =>
  ((times.at(-1) ?? Number.NaN) - since) / 1_000

async function addEntry(server: Server, { id }: Pick<Agent, 'id'>, path: string): Promise<void> {
  await createEntries(server, {
    ...{ parentId: id, pathPrefix: path, count: 1 },
    selector: () => ({ type: 'unix', value: `uid:${process.getuid?.()}` }),
  })
}
