/**
 * Which authority an operator may act on, decided from the slots alone and refused in SPIRE's words, because scripts
 * compare them. What signs now can be neither tainted nor revoked: everything it signed would be cut off.
 *
 * @see SPIRE behaviour §7 — forced rotation
 */
import { IdentityError } from '../../spiffe/error.ts'
import type { Authority, Slots } from './slots.ts'

/** @throws IdentityError REQUEST_INVALID; INTERNAL for the old one, as SPIRE has it */
export function chooseToActivate<A extends Authority>({ prepared, old }: Slots<A>, id: string): A {
  mustBeGiven(id)
  if (prepared?.id === id) return prepared
  if (prepared !== undefined || old?.id !== id) throw unexpected()
  throw new IdentityError(
    'INTERNAL',
    'only Prepared authorities can be activated: unsupported local authority status: OLD',
  )
}

/** @throws IdentityError REQUEST_INVALID */
export function chooseToTaint<A extends Authority>(slots: Slots<A>, id: string): A {
  const { active, prepared, old } = slots
  mustBeGiven(id)
  if (active?.id === id) throw refusal('unable to taint current local authority')
  if (old?.id === id) return old
  if (prepared?.id !== id) throw unexpected()
  throw refusal(
    'only Old local authorities can be tainted: unsupported local authority status: PREPARED',
  )
}

/** @throws IdentityError REQUEST_INVALID for none and for the one that signs */
export function mustNotSign({ active }: Slots<Authority>, id: string): void {
  if (id === '') throw refusal('invalid authority ID: no authority ID provided')
  if (active?.id === id) throw refusal('invalid authority ID: unable to use current authority')
}

/** Whoever asks for it knows whose it is: for those of this server there are the ways that look at its slots. */
export function mustBeOthers({ active, prepared, old }: Slots<Authority>, id: string): void {
  mustBeGiven(id)
  if ([active, prepared, old].every((own) => own?.id !== id)) return
  const why = `authority ${id} is one of this server, expected one of another`
  throw new IdentityError('PRECONDITION_FAILED', why)
}

function mustBeGiven(id: string): void {
  if (id === '') throw refusal('no authority ID provided')
}

function unexpected(): IdentityError {
  return refusal('unexpected authority ID')
}

function refusal(message: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', message)
}
