/** What was issued and refused since the server started: counts, and the newest of each by name. Bounded. */
import type { Clock } from '../../spiffe/clock.ts'
import type { Facts } from './facts.ts'
import type { Check, WhyRefused } from './refusal.ts'

/** Of each kind. */
const MAX_KEPT = 100
const MAX_REASON_LENGTH = 1_000

export interface Issuance extends Facts {
  readonly at: Date
  /** Of the caller. */
  readonly address: string
}

export type Refusal = Issuance & WhyRefused

export interface TallyReading {
  readonly issued: number
  readonly refused: number
  /** The newest first. */
  readonly lastIssued: readonly Issuance[]
  readonly lastRefusals: readonly Refusal[]
  readonly refusedByCheck: ReadonlyMap<Check, number>
}

export interface Tally {
  noteIssued(facts: Facts, address: string): void
  noteRefused(facts: Facts, address: string, why: WhyRefused): void
  read(): TallyReading
}

export function createTally(clock: Clock): Tally {
  const state = { issued: 0, refused: 0 }
  const lastIssued: Issuance[] = []
  const lastRefusals: Refusal[] = []
  const refusedByCheck = new Map<Check, number>()
  return {
    noteIssued(facts, address) {
      state.issued += 1
      keep(lastIssued, { ...facts, address, at: clock.now() })
    },
    noteRefused(facts, address, { check, reason }) {
      state.refused += 1
      refusedByCheck.set(check, (refusedByCheck.get(check) ?? 0) + 1)
      const clipped = reason.slice(0, MAX_REASON_LENGTH)
      keep(lastRefusals, { ...facts, address, at: clock.now(), check, reason: clipped })
    },
    read: () => ({
      ...state,
      lastIssued: lastIssued.toReversed(),
      lastRefusals: lastRefusals.toReversed(),
      refusedByCheck: new Map(refusedByCheck),
    }),
  }
}

function keep<T>(list: T[], item: T): void {
  list.push(item)
  if (list.length > MAX_KEPT) list.shift()
}
