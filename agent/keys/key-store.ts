/** Where the agent keeps the private keys of its own SVID. */
import type { KeyObject } from 'node:crypto'
import { spkiOf } from '../../spiffe/key.ts'

/** SPIRE's names: one key is in use, the other is for the next SVID. */
export const AGENT_KEY_IDS = ['agent-svid-A', 'agent-svid-B'] as const
export type AgentKeyId = (typeof AGENT_KEY_IDS)[number]

export interface KeyStore {
  /** Keys survive a restart of the agent. When false, no private key of any kind may touch the disk. */
  readonly persistent: boolean
  keys(): ReadonlyMap<AgentKeyId, KeyObject>
  /** Resolves when the key is kept; a key of the same name is lost. */
  put(id: AgentKeyId, key: KeyObject): Promise<void>
}

/** The key whose public half is `spki` (DER). */
export function findKey(
  store: KeyStore,
  spki: Uint8Array,
): { readonly id: AgentKeyId; readonly key: KeyObject } | undefined {
  for (const [id, key] of store.keys()) {
    if (spkiOf(key).equals(spki)) return { id, key }
  }
  return undefined
}

/** The slot for the next key, given the one in use. */
export function otherKeyId(inUse: AgentKeyId | undefined): AgentKeyId {
  return inUse === 'agent-svid-A' ? 'agent-svid-B' : 'agent-svid-A'
}
