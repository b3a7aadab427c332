/** Keys in memory: they end with the process, and the server makes new authorities at its next start. */
import type { KeyObject } from 'node:crypto'
import { generateKey } from '../../../spiffe/key.ts'
import type { KeyStore } from './key-store.ts'

export function memoryKeyStore(): KeyStore {
  const keys = new Map<string, KeyObject>()
  return {
    async generate(keyId, type) {
      const key = await generateKey(type)
      keys.set(keyId, key)
      return key
    },
    load: async (keyId) => keys.get(keyId),
    keepCopy: async () => undefined,
  }
}
