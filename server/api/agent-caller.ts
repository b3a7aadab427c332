/** The agent behind a call to a method that only agents may call. */
import type { SpiffeId } from '../../spiffe/id.ts'
import type { Caller, PeerCaller } from '../listen/caller.ts'

/** A caller of any other kind here means that the gate was not asked: a bug, and the call fails. */
export function agentOf(caller: Caller): PeerCaller {
  if (caller.kind !== 'peer') throw new Error(`an agent method was reached by ${caller.kind}`)
  return caller
}

export function agentIdOf(caller: Caller): SpiffeId {
  return agentOf(caller).svid.id
}
