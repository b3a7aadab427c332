/** A server and an agent that nobody asks anything: processor time and memory, SPIRE's and ours, all four side by side. */
import { systemClock } from '../../spiffe/clock.ts'
import { type Kind, startAgent, startServer } from '../../test/processes/cluster.ts'
import { keepFigures, print } from './figures.ts'
import { createEntries } from './many-entries.ts'
import { cpuMicros, residentKib } from './process-cost.ts'

const ENTRIES = 10
/** Until whatever follows a start is over. */
const SETTLE_MS = 15_000
const IDLE_MS = 60_000

export async function benchIdle(kinds: readonly Kind[]): Promise<void> {
  await using started = new AsyncDisposableStack()
  const pids: { readonly kind: Kind; readonly role: string; readonly pid: number }[] = []
  for (const kind of kinds) {
    const server = started.use(await startServer(kind))
    const agent = started.use(await startAgent(kind, server))
    const entries = { parentId: agent.id, pathPrefix: '/idle/', count: ENTRIES }
    await createEntries(server, entries)
    pids.push({ kind, role: 'server', pid: server.process().pid })
    pids.push({ kind, role: 'agent', pid: agent.process().pid })
  }
  await systemClock.sleep(SETTLE_MS)
  const before = pids.map(({ pid }) => cpuMicros(pid))
  const since = performance.now()
  await systemClock.sleep(IDLE_MS)
  const micros = (performance.now() - since) * 1_000
  const shares = pids.map(({ pid }, at) => (100 * (cpuMicros(pid) - (before[at] ?? 0))) / micros)
  const figures = ['server', 'agent'].flatMap((role) => {
    const of = (read: (at: number, pid: number) => number) =>
      new Map(pids.flatMap((one, at) => (one.role === role ? [[one.kind, read(at, one.pid)]] : [])))
    const share = of((at) => shares[at] ?? Number.NaN)
    const memory = of((_, pid) => residentKib(pid) / 1024)
    return [
      print({ what: `idle ${role}: of one processor`, unit: '%', of: share, isCost: true }),
      print({ what: `idle ${role}: resident memory`, unit: 'MiB', of: memory, isCost: true }),
    ]
  })
  keepFigures('idle', figures)
}
