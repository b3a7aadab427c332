/** What a run says of itself. */
import type { OnceReport } from './once-only.ts'
import type { ProbeReport } from './workload-probe.ts'

export interface DelaySpread {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly worst: number
}

export interface ChaosReport {
  readonly seed: number
  /** Simulated ones. */
  readonly agents: number
  /** Until servers and agents were ready, milliseconds. */
  readonly readyMs: number
  /** Of faults and writes. */
  readonly seconds: number
  readonly faultsInflicted: number
  /** Writes of entries. */
  readonly acknowledged: number
  readonly unanswered: number
  /** How long an agent may take at most, milliseconds, where nothing excuses it. */
  readonly boundMs: number
  /** From the acknowledgement until the agent had an SVID of it, milliseconds, faults included. */
  readonly knownAfterMs: DelaySpread
  /** From the acknowledgement until the agent had given it up. */
  readonly goneAfterMs: DelaySpread
  readonly once: OnceReport
  readonly probes: ProbeReport
  /** Turns that servers took, and how often one began. */
  readonly turns: { readonly names: number; readonly begun: number }
  /** How often simulated agents came into sync anew. */
  readonly agentsMoved: number
  /** The longest time in which this program itself did not look, milliseconds. */
  readonly worstPauseMs: number
  /** What must not happen, and did. */
  readonly faults: readonly string[]
}

export function spreadOf(values: readonly number[]): DelaySpread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), worst: at(1) }
}
