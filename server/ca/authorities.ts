/**
 * The authorities of one kind, and the only place that changes them. An authority signs only while it
 * is within its validity and in the committed bundle; on any doubt there is none, and nothing is signed.
 *
 * Every change is on disk before it takes effect, in this order: key, certificate, bundle, journal.
 * A process that is killed in between leaves at most an authority in the bundle that never signs.
 *
 * @see Federation §4 — new keys are published before their first use
 */
import type { KeyObject } from 'node:crypto'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { AuthorityKind } from './authority-kind.ts'
import { chooseToActivate, chooseToTaint, mustBeOthers } from './choose-authority.ts'
import { createTurns } from './in-turn.ts'
import type { KeyStore } from './key-store/key-store.ts'
import type { Publication } from './publication.ts'
import {
  type Authority,
  freeKeySlot,
  isCurrent,
  keep,
  type Slots,
  withActivated,
  withoutKey,
  withPrepared,
} from './slots.ts'
import { revoke, taint } from './taint-and-revoke.ts'

export interface Signer<A extends Authority> {
  readonly authority: A
  readonly key: KeyObject
}

export interface Authorities<A extends Authority> {
  /** Those that are usable now. */
  slots(): Slots<A>
  /** What signs now; undefined while nothing may be signed. */
  signer(): Signer<A> | undefined
  /** Makes and publishes the next authority; one that was prepared before is forgotten. */
  prepare(): Promise<A>
  /**
   * Lets the prepared authority sign.
   * @throws IdentityError REQUEST_INVALID when it is not prepared, or no longer usable; INTERNAL when it is old
   */
  activate(id: string): Promise<A>
  /**
   * Tells everybody, through the bundle, to rotate away from the old authority. Verifiers still take what it signed.
   * @throws IdentityError REQUEST_INVALID for another one than the old; INTERNAL when it is tainted already
   */
  taint(id: string): Promise<A>
  /**
   * Takes a tainted authority out of the bundle: nothing that it signed is taken any more.
   * @throws IdentityError REQUEST_INVALID for one that may not go, the active one above all; INTERNAL when it is not tainted
   */
  revoke(id: string): Promise<void>
  /**
   * Forgets the prepared authority, which has signed nothing, and takes it out of the bundle.
   * @throws IdentityError PRECONDITION_FAILED when it is not the prepared one
   */
  discard(id: string): Promise<A>
  /**
   * As `taint`, for an authority of another server, which must not sign there any more.
   * @throws IdentityError PRECONDITION_FAILED for one of this server's own; INTERNAL when it is tainted already
   */
  taintOther(id: string): Promise<void>
  /** As `taintOther`. @throws IdentityError PRECONDITION_FAILED for one of this server's own; INTERNAL when it is not tainted */
  revokeOther(id: string): Promise<void>
  /** Calls `listener` after another authority became active. It must not throw. @returns how to stop */
  onActivate(listener: () => void): () => void
}

/** Where the slots of one kind are remembered. */
export interface SlotRecord<A extends Authority> {
  load(): Slots<A>
  save(slots: Slots<A>): Promise<void>
}

/** Told of what the operator should know. */
export interface AuthorityEvents<A extends Authority> {
  onPrepared(authority: A): void
  onActivated(authority: A): void
  onTainted(id: string): void
  onRevoked(id: string): void
  /** The key of an authority in the journal is gone or another: it cannot sign any more. */
  onKeyLost(authority: A): void
}

export interface AuthoritiesDeps<A extends Authority> {
  readonly kind: AuthorityKind<A>
  readonly record: SlotRecord<A>
  readonly keyStore: KeyStore
  readonly publication: Publication
  readonly clock: Clock
  readonly events: AuthorityEvents<A>
}

/** What changes: everything else is derived from it. */
interface State<A extends Authority> {
  slots: Slots<A>
  /** Published, but not in the journal yet: the next attempt to prepare goes on from here. */
  unsaved: Signer<A> | undefined
  readonly keys: Map<string, KeyObject>
}

/** Of an authority in one bundle. */
interface Standing {
  readonly bundle: Bundle
  readonly isPublished: boolean
  readonly isTainted: boolean
}

/** Picks up what the journal says, as far as the keys are there. */
export async function openAuthorities<A extends Authority>(
  deps: AuthoritiesDeps<A>,
): Promise<Authorities<A>> {
  const { kind, publication, clock } = deps
  const state: State<A> = { slots: deps.record.load(), unsaved: undefined, keys: new Map() }
  await findKeys(state, deps)
  const listeners = new Set<() => void>()
  const inTurn = createTurns(`${kind.name} authorities`)

  // Asked at every signature, and the bundle is the same object until it changes.
  const standings = new WeakMap<A, Standing>()
  const standingOf = (authority: A): Standing => {
    const bundle = publication.current()
    const known = standings.get(authority)
    if (known?.bundle === bundle) return known
    const isPublished = kind.isPublished(bundle, authority)
    const standing = { bundle, isPublished, isTainted: kind.isTainted(bundle, authority) }
    standings.set(authority, standing)
    return standing
  }
  const isUsable = (authority: A) =>
    isCurrent(authority, clock.now()) && standingOf(authority).isPublished
  // Another server may have tainted what this one signs with, as that of a server that is gone: it signs no more.
  const maySign = (authority: A) => isUsable(authority) && !standingOf(authority).isTainted
  const usable = () => {
    const { prepared, active, old } = keep(state.slots, isUsable)
    return { ...keep({ prepared, active, old: undefined }, maySign), old }
  }
  // An old authority that left the bundle or expired is still known as the old one: the answer is more exact.
  const known = () => ({ ...usable(), old: state.slots.old })

  return {
    slots: usable,
    signer: () => {
      const { active } = state.slots
      if (active === undefined || !maySign(active)) return undefined
      const key = state.keys.get(active.id)
      return key === undefined ? undefined : { authority: active, key }
    },
    prepare: () => inTurn(() => prepare(state, usable(), isUsable, deps)),
    activate: (id) =>
      inTurn(async () => {
        const activated = await activate(state, usable(), id, deps)
        for (const listener of listeners) listener()
        return activated
      }),
    taint: (id) =>
      inTurn(async () => {
        const chosen = chooseToTaint(known(), id)
        await taint(kind, id, publication)
        deps.events.onTainted(id)
        return chosen
      }),
    revoke: (id) =>
      inTurn(async () => {
        kind.mustBeRevocable(known(), publication.current(), id)
        await revoke(kind, id, publication)
        deps.events.onRevoked(id)
      }),
    taintOther: (id) =>
      inTurn(async () => {
        mustBeOthers(state.slots, id)
        await taint(kind, id, publication)
        deps.events.onTainted(id)
      }),
    revokeOther: (id) =>
      inTurn(async () => {
        mustBeOthers(state.slots, id)
        await revoke(kind, id, publication)
        deps.events.onRevoked(id)
      }),
    discard: (id) => inTurn(() => discard(state, usable(), id, deps)),
    onActivate: (listener) => {
      const entry = () => listener()
      listeners.add(entry)
      return () => listeners.delete(entry)
    },
  }
}

async function prepare<A extends Authority>(
  state: State<A>,
  usable: Slots<A>,
  isUsable: (authority: A) => boolean,
  { kind, record, keyStore, publication, clock, events }: AuthoritiesDeps<A>,
): Promise<A> {
  const keySlot = freeKeySlot(usable)
  // What an attempt left that failed at the journal: without it, each retry would grow the bundle.
  const { unsaved } = state
  const isLeft = unsaved?.authority.keySlot === keySlot && isUsable(unsaved.authority)
  const made = isLeft ? unsaved : await make()
  state.unsaved = made
  const slots = withPrepared(usable, made.authority)
  await record.save(slots)
  state.unsaved = undefined
  settle(state, slots, made)
  events.onPrepared(made.authority)
  return made.authority

  async function make(): Promise<Signer<A>> {
    // Whoever has this key loses it now, whatever happens next.
    state.slots = withoutKey(usable, keySlot)
    state.unsaved = undefined
    const key = await keyStore.generate(kind.keyId(keySlot), kind.keyType)
    const authority = await kind.make(key, keySlot, clock.now())
    await publication.update((bundle) => kind.publish(bundle, authority))
    return { authority, key }
  }
}

async function activate<A extends Authority>(
  state: State<A>,
  usable: Slots<A>,
  id: string,
  { record, events }: AuthoritiesDeps<A>,
): Promise<A> {
  // Fails closed: also a prepared authority that has left the bundle is refused here.
  const prepared = chooseToActivate({ ...usable, old: state.slots.old }, id)
  const slots = withActivated(usable, prepared)
  await record.save(slots)
  settle(state, slots, undefined)
  events.onActivated(prepared)
  return prepared
}

async function discard<A extends Authority>(
  state: State<A>,
  usable: Slots<A>,
  id: string,
  { kind, record, publication }: AuthoritiesDeps<A>,
): Promise<A> {
  const { prepared } = usable
  if (prepared === undefined || prepared.id !== id) {
    const why = 'only an authority that is prepared, and has not signed yet, can be discarded'
    throw new IdentityError('PRECONDITION_FAILED', why)
  }
  // The journal first: killed in between, it is in the bundle and never signs.
  const slots = { ...usable, prepared: undefined }
  await record.save(slots)
  settle(state, slots, undefined)
  await publication.update((bundle) => kind.withdraw(bundle, prepared))
  return prepared
}

/** Takes the new slots over, and forgets the keys of those that will never sign again. */
function settle<A extends Authority>(
  state: State<A>,
  slots: Slots<A>,
  made: Signer<A> | undefined,
): void {
  state.slots = slots
  if (made !== undefined) state.keys.set(made.authority.id, made.key)
  for (const id of state.keys.keys()) {
    if (id !== slots.active?.id && id !== slots.prepared?.id) state.keys.delete(id)
  }
}

/** Authorities whose key is not the one in the store cannot sign: they stay in the bundle only. */
async function findKeys<A extends Authority>(
  state: State<A>,
  { kind, keyStore, events }: AuthoritiesDeps<A>,
): Promise<void> {
  const { prepared, active } = state.slots
  const lost = new Set<A>()
  for (const authority of [prepared, active]) {
    if (authority === undefined) continue
    if (!kind.isAsConfigured(authority)) {
      // It stays in the bundle, so that what it has signed is believed until it ends.
      lost.add(authority)
      continue
    }
    const key = await keyStore.load(kind.keyId(authority.keySlot))
    if (key !== undefined && kind.isKeyOf(key, authority)) {
      state.keys.set(authority.id, key)
    } else {
      lost.add(authority)
      events.onKeyLost(authority)
    }
  }
  state.slots = keep(state.slots, (authority) => !lost.has(authority))
}
