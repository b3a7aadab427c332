/** What an operation costs a server: load for several rounds, and the median of them. */
import type { Kind, Server } from '../../test/processes/cluster.ts'
import { until } from '../../test/processes/process.ts'
import { type Figure, median, print } from './figures.ts'
import type { Method } from './method.ts'
import { cpuMicros, firstThreadMicros } from './process-cost.ts'
import type { RawCalls } from './raw-calls.ts'

export interface Work {
  readonly what: string
  readonly method: Method
  /** Taken in turn. */
  readonly bodies: readonly Buffer[]
  /** SVIDs, or whatever is counted, in each call. */
  readonly each: number
  readonly concurrency: number
  /** Of each round. */
  readonly calls: number
  /** @throws Error unless the answer is what the load is about: a refusal costs less than what is refused */
  check(answer: unknown): void
}

export interface Cost {
  /** Processor time of the server for each. */
  readonly micros: number
  /** Of that, in its first thread: what other processors cannot take over from it, where JavaScript runs in one. */
  readonly firstThreadMicros: number
  readonly perSecond: number
}

const ROUNDS = 5

/** A server and who loads it. */
export interface Target {
  readonly server: Server
  readonly calls: RawCalls
  readonly work: Work
}

export async function measureLoad(server: Server, calls: RawCalls, work: Work): Promise<Cost> {
  const [cost] = await measureInTurn([{ server, calls, work }])
  if (cost === undefined) throw new Error('nothing was measured')
  return cost
}

/** A round of each, again and again: what else the machine does meets all of them. @returns one for each target, in order */
export async function measureInTurn(targets: readonly Target[]): Promise<readonly Cost[]> {
  for (const target of targets) await warmUp(target)
  const rounds: Cost[][] = targets.map(() => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, target] of targets.entries()) rounds[at]?.push(await oneRound(target))
  }
  return rounds.map((all) => ({
    micros: median(all.map(({ micros }) => micros)),
    firstThreadMicros: median(all.map((one) => one.firstThreadMicros)),
    perSecond: median(all.map(({ perSecond }) => perSecond)),
  }))
}

async function warmUp(target: Target): Promise<void> {
  const { calls, work } = target
  const [first] = work.bodies
  if (first === undefined) throw new Error('nothing to send')
  // SPIRE's server looks for new entries once in five seconds.
  await until(`${work.what} to be served`, async () => {
    work.check(work.method.answer(await calls.call(work.method.path, first)))
    return true
  })
  await load(target)
}

const load = ({ calls, work: { method, bodies, concurrency, calls: count } }: Target) =>
  calls.load({ path: method.path, bodies, concurrency, calls: count })

async function oneRound(target: Target): Promise<Cost> {
  const { pid } = target.server.process()
  const [before, firstBefore] = [cpuMicros(pid), firstThreadMicros(pid)]
  const { calls: made, seconds } = await load(target)
  const count = made * target.work.each
  return {
    micros: (cpuMicros(pid) - before) / count,
    firstThreadMicros: (firstThreadMicros(pid) - firstBefore) / count,
    perSecond: count / seconds,
  }
}

/** Printed at once. */
export function costFigures(what: string, costs: ReadonlyMap<Kind, Cost>): readonly Figure[] {
  const of = (field: keyof Cost) => new Map([...costs].map(([kind, cost]) => [kind, cost[field]]))
  const ours = costs.get('steeple')
  const first = new Map(ours === undefined ? [] : [['steeple', ours.firstThreadMicros] as const])
  return [
    print({ what: `${what}: processor time each`, unit: 'µs', of: of('micros'), isCost: true }),
    print({ what: `${what}: of that in one thread`, unit: 'µs', of: first, isCost: true }),
    print({ what: `${what}: a second`, unit: '', of: of('perSecond'), isCost: false }),
  ]
}
