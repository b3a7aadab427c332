/** Keys that live as long as the process. After a restart the agent has to attest anew. */
import type { KeyObject } from 'node:crypto'
import type { AgentKeyId, KeyStore } from './key-store.ts'

export function openMemoryKeys(): KeyStore {
  const keys = new Map<AgentKeyId, KeyObject>()
  return {
    persistent: false,
    keys: () => keys,
    async put(id, key) {
      keys.set(id, key)
    },
  }
}
