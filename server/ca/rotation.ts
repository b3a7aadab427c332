/**
 * Decides what the authorities of one kind need next. The next one is prepared at half of the active
 * one's life and signs after five sixths, so that it is in every bundle long before it is used.
 *
 * @see SPIRE behaviour §7 — rotation
 * @see Federation §4 — new keys are published before their first use
 */
import type { Authority, Slots } from './slots.ts'

export type Step<A extends Authority> =
  | { readonly kind: 'prepare' }
  | { readonly kind: 'activate'; readonly authority: A }
  | { readonly kind: 'wait'; readonly until: Date }

const DAY_MS = 24 * 60 * 60 * 1000
const MINUTE_MS = 60 * 1000

/** Of the active authority's life, what remains when the next one is prepared. */
const PREPARE_AT = { part: 1 / 2, mostMs: 30 * DAY_MS }
/** Of the active authority's life, what remains when the next one takes over. */
const ACTIVATE_AT = { part: 1 / 6, mostMs: 7 * DAY_MS }
/**
 * How long an authority prepared late (after the server was down) is in the bundle before it signs,
 * and how long before its end the active one is replaced all the same.
 */
const PROPAGATION = { part: 1 / 12, mostMs: 5 * MINUTE_MS }

/** @param slots usable authorities only */
export function nextStep<A extends Authority>({ active, prepared }: Slots<A>, now: Date): Step<A> {
  // Without an active authority nothing can be signed: there is nobody to wait for.
  if (active === undefined) {
    return prepared === undefined ? { kind: 'prepare' } : { kind: 'activate', authority: prepared }
  }
  if (prepared === undefined) {
    const prepareAt = before(active.expiresAt, share(active, PREPARE_AT))
    return now < prepareAt ? { kind: 'wait', until: prepareAt } : { kind: 'prepare' }
  }
  const activateAt = activationTime(active, prepared)
  return now < activateAt
    ? { kind: 'wait', until: activateAt }
    : { kind: 'activate', authority: prepared }
}

function activationTime(active: Authority, prepared: Authority): Date {
  const propagationMs = share(active, PROPAGATION)
  const planned = before(active.expiresAt, share(active, ACTIVATE_AT)).getTime()
  const known = prepared.issuedAt.getTime() + propagationMs
  const latest = before(active.expiresAt, propagationMs).getTime()
  return new Date(Math.max(planned, Math.min(known, latest)))
}

function share({ issuedAt, expiresAt }: Authority, of: { part: number; mostMs: number }): number {
  return Math.min((expiresAt.getTime() - issuedAt.getTime()) * of.part, of.mostMs)
}

function before(date: Date, ms: number): Date {
  return new Date(date.getTime() - ms)
}
