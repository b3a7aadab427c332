/**
 * What a process counts and times of itself, under the names that SPIRE gives it. A series comes into being with its first
 * value, as in SPIRE. Labels must be few: nothing that a caller chooses may become one.
 *
 * @see SPIRE behaviour §9 — telemetry
 */
import { status } from '@grpc/grpc-js'
import { statusCodeOf } from '../proto/status.ts'

export type Labels = Readonly<Record<string, string>>

/** Names are SPIRE's keys joined by an underscore, without the prefix. */
export interface Metrics {
  /** @param by default: 1 */
  count(name: string, labels?: Labels, by?: number): void
  /** Read at each fetch. */
  gauge(name: string, read: () => number, labels?: Labels): void
  add(name: string, difference: number): void
  sample(name: string, value: number): void
  /** Counts one call and how long it took, when the returned function is told how it ended. */
  call(name: string, labels?: Labels): (error?: unknown) => void
  /** As `call`, around what may fail. */
  measure<T>(name: string, work: () => Promise<T>, labels?: Labels): Promise<T>
  /** The same, for names that are another program's: they stay as they are. */
  unprefixed(): Metrics
}

/** For a process that nobody measures. */
export const NO_METRICS: Metrics = {
  count() {},
  gauge() {},
  add() {},
  sample() {},
  call: () => () => {},
  measure: (_, work) => work(),
  unprefixed: () => NO_METRICS,
}

/** As Go names the codes: `PermissionDenied`. */
export function statusName(error: unknown): string {
  if (error === undefined) return 'OK'
  const words = (status[statusCodeOf(error)] ?? 'UNKNOWN').toLowerCase().split('_')
  if (words[0] === 'cancelled') return 'Canceled' // the one that Go spells in another way
  return words.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join('')
}
