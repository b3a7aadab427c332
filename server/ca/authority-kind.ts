/** What X.509 and JWT authorities differ in. Everything else about them is the same code. */
import type { KeyObject } from 'node:crypto'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { KeyType } from '../../spiffe/key.ts'
import type { Authority, KeySlot, Slots } from './slots.ts'

export interface AuthorityKind<A extends Authority> {
  /** For messages. */
  readonly name: 'X.509' | 'JWT'
  readonly keyType: KeyType
  /** The name of the key in the key store, as SPIRE has it. */
  keyId(slot: KeySlot): string
  make(key: KeyObject, keySlot: KeySlot, now: Date): Promise<A>
  isKeyOf(key: KeyObject, authority: A): boolean
  /** Whether `make` would make such a one today; the configuration may have changed since it was made. */
  isAsConfigured(authority: A): boolean
  publish(bundle: Bundle, authority: A): Bundle
  isPublished(bundle: Bundle, authority: A): boolean
  /** Whether it is said to be tainted itself; a tainted root above it is another matter. */
  isTainted(bundle: Bundle, authority: A): boolean
  /** Takes one out of the bundle that never signed. */
  withdraw(bundle: Bundle, authority: A): Bundle
  /** @throws IdentityError saying why not */
  taint(bundle: Bundle, id: string): Bundle
  /** @throws IdentityError REQUEST_INVALID when it is none that may be revoked, tainted or not */
  mustBeRevocable(slots: Slots<A>, bundle: Bundle, id: string): void
  /** @throws IdentityError saying why not */
  revoke(bundle: Bundle, id: string): Bundle
}
