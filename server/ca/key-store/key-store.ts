/** Where the keys of the authorities are kept. Only the server process ever holds them. */
import type { KeyObject } from 'node:crypto'
import type { KeyType } from '../../../spiffe/key.ts'

export interface KeyStore {
  /** Makes a key, which replaces that of the same ID. Once resolved, the key is as durable as the store is. */
  generate(keyId: string, type: KeyType): Promise<KeyObject>
  load(keyId: string): Promise<KeyObject | undefined>
  /**
   * Keeps all that it holds now where `generate` does not reach.
   * @returns where, for an operator; undefined when nothing outlives the process anyway
   * @throws IdentityError UNAVAILABLE when it cannot be kept
   */
  keepCopy(): Promise<string | undefined>
}
