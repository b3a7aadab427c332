/** Several lanes at once until so many moments have passed. Says what it saw; whoever calls decides whether that is good. */
import { systemClock } from '../../spiffe/clock.ts'
import { type LaneReport, runLane } from './lane.ts'

export interface KillOptions {
  readonly moments: number
  readonly lanes: number
  /** Repeats what was chosen: victims, delays and writes. When the kernel runs whom is never the same. */
  readonly seed: number
  /** Ends it early, with a report of what was done until then. */
  readonly signal?: AbortSignal
}

export interface KillReport {
  readonly seed: number
  readonly seconds: number
  readonly kills: LaneReport['kills']
  readonly acknowledged: number
  readonly unanswered: number
  readonly returnedMs: { readonly median: number; readonly worst: number }
  readonly faults: readonly string[]
}

export async function runKills({ moments, lanes, seed, signal }: KillOptions): Promise<KillReport> {
  const from = systemClock.now().getTime()
  const left = { moments }
  const end = () => {
    left.moments = 0
  }
  signal?.addEventListener('abort', end, { once: true })
  const reports = await Promise.all(
    Array.from({ length: lanes }, (_, lane) => runLane({ seed: seed + lane, left })),
  )
  const sum = (of: (report: LaneReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0)
  const returned = reports.flatMap(({ returnedMs }) => returnedMs).sort((a, b) => a - b)
  return {
    seed,
    seconds: Math.round((systemClock.now().getTime() - from) / 1_000),
    kills: {
      server: sum(({ kills }) => kills.server),
      agent: sum(({ kills }) => kills.agent),
      both: sum(({ kills }) => kills.both),
      starting: sum(({ kills }) => kills.starting),
    },
    acknowledged: sum((report) => report.acknowledged),
    unanswered: sum((report) => report.unanswered),
    returnedMs: {
      median: returned[Math.floor(returned.length / 2)] ?? 0,
      worst: returned.at(-1) ?? 0,
    },
    faults: reports.flatMap(({ faults }) => faults),
  }
}
