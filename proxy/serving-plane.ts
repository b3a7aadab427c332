/** What carries connections, as the rest of the process knows it: in this very thread, or in several workers. */
import type { Address } from '../config/address.ts'
import { type DataPlaneOptions, openDataPlane } from './data-plane.ts'
import type { Judges } from './judges.ts'
import { reportOf, type TrafficReport } from './telemetry/traffic-report.ts'
import type { WorkerStatus } from './workers/keep-worker.ts'

export interface OpenListener {
  readonly name: string
  /** Where it listens indeed: the port that was chosen instead of 0. */
  readonly address: Address
}

export interface ServingPlane extends Pick<Judges, 'engine' | 'workloads'>, AsyncDisposable {
  readonly open: readonly OpenListener[]
  /** What is open and what was counted, now. */
  look(): Promise<TrafficReport>
  /** None where this thread serves by itself. */
  workers(): readonly WorkerStatus[]
  /** Rejects when it cannot go on. */
  readonly failed: Promise<never>
  /** Takes no more connections, lets those that are open end, and ends the rest when the time is over. */
  drain(): Promise<void>
}

/** Serves in this thread. @throws as `openDataPlane` */
export async function openOwnPlane(options: DataPlaneOptions): Promise<ServingPlane> {
  const plane = await openDataPlane(options)
  const { engine, workloads, failed, drain, listeners, context, tokenKeys } = plane
  return {
    ...{ engine, workloads, failed, drain, open: listeners.open },
    look: async () => reportOf(context, tokenKeys.status()),
    workers: () => [],
    [Symbol.asyncDispose]: () => plane[Symbol.asyncDispose](),
  }
}
