/**
 * Looks, before any authority is made, whether the key store holds keys that the journal does not account for: those of
 * another database, or of one that was lost or put back from an older backup. New authorities will replace them, so the store
 * keeps a copy first. It fails closed: where no copy can be kept, nothing is replaced and the server does not start. What a
 * crash leaves in the place of the authority that does not sign is no such key.
 */
import type { Log } from '../../log/open-log.ts'
import type { SlotRecord } from './authorities.ts'
import type { AuthorityKind } from './authority-kind.ts'
import type { KeyStore } from './key-store/key-store.ts'
import type { Authority, KeySlot } from './slots.ts'

export interface KeptKind<A extends Authority> {
  readonly kind: Pick<AuthorityKind<A>, 'keyId' | 'isKeyOf'>
  readonly record: Pick<SlotRecord<A>, 'load'>
}

export interface KeepReplacedKeysDeps {
  readonly keyStore: KeyStore
  readonly log: Pick<Log, 'warn'>
}

const SLOTS: readonly KeySlot[] = ['A', 'B']

/** @throws IdentityError UNAVAILABLE when the copy cannot be kept */
export async function keepReplacedKeys<A extends Authority>(
  { kind, record }: KeptKind<A>,
  { keyStore, log }: KeepReplacedKeysDeps,
): Promise<void> {
  const { active, prepared } = record.load()
  const isForeign = async (slot: KeySlot): Promise<boolean> => {
    const key = await keyStore.load(kind.keyId(slot))
    if (key === undefined) return false
    const owner = [active, prepared].find((one) => one?.keySlot === slot)
    return owner === undefined || !kind.isKeyOf(key, owner)
  }
  // Beside an authority that signs, the other place is free to be replaced at any time.
  const places = active === undefined ? SLOTS : [active.keySlot]
  const foreign = await Promise.all(places.map(isForeign))
  if (!foreign.includes(true)) return
  const kept = await keyStore.keepCopy()
  if (kept === undefined) return
  log.warn(
    { kept },
    'The keys file holds keys of authorities that the database does not know: new authorities are made, and a copy of the file is kept; to go on with the old ones, stop the server and restore the database that belongs to them together with the copy',
  )
}
