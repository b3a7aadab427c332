/**
 * The authorities of one kind that this server has keys for: at most one is prepared, one signs, and
 * one has signed before. Two keys serve for three slots: preparing takes the key of the old one.
 *
 * @see SPIRE behaviour §7 — authorities
 */

/** The two places a key store has for each kind of authority. */
export type KeySlot = 'A' | 'B'

export interface Authority {
  /** X.509: lower-case hex of the subject key identifier. JWT: the key ID. */
  readonly id: string
  readonly keySlot: KeySlot
  readonly issuedAt: Date
  readonly notBefore: Date
  readonly expiresAt: Date
}

export interface Slots<A extends Authority> {
  /** In the bundle, but not signing yet. */
  readonly prepared: A | undefined
  /** Signing. */
  readonly active: A | undefined
  /** What signed before; still in the bundle. */
  readonly old: A | undefined
}

export const EMPTY_SLOTS: Slots<never> = { prepared: undefined, active: undefined, old: undefined }

/** The authority joins as prepared; whoever had its key before is forgotten. */
export function withPrepared<A extends Authority>(slots: Slots<A>, prepared: A): Slots<A> {
  return { ...withoutKey(slots, prepared.keySlot), prepared }
}

/** The prepared authority signs from now on. */
export function withActivated<A extends Authority>(slots: Slots<A>, active: A): Slots<A> {
  return { prepared: undefined, active, old: slots.active ?? slots.old }
}

/** What is left once the key in this slot is replaced. */
export function withoutKey<A extends Authority>(slots: Slots<A>, keySlot: KeySlot): Slots<A> {
  return keep(slots, (authority) => authority.keySlot !== keySlot)
}

export function keep<A extends Authority>(
  { prepared, active, old }: Slots<A>,
  isKept: (authority: A) => boolean,
): Slots<A> {
  const kept = (authority: A | undefined) =>
    authority !== undefined && isKept(authority) ? authority : undefined
  return { prepared: kept(prepared), active: kept(active), old: kept(old) }
}

/** The key that no active authority has. */
export function freeKeySlot<A extends Authority>({ active }: Slots<A>): KeySlot {
  return active?.keySlot === 'A' ? 'B' : 'A'
}

/** X.509 certificates are valid through their last second. */
export function isCurrent({ notBefore, expiresAt }: Authority, now: Date): boolean {
  return notBefore <= now && now < expiresAt
}
