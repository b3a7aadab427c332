/** Where the keys of the authorities are kept. Only the server process ever holds them. */
import type { KeyObject } from 'node:crypto'
import type { KeyType } from '../../../spiffe/key.ts'

export interface KeyStore {
  /** Makes a key, which replaces that of the same ID. Once resolved, the key is as durable as the store is. */
  generate(keyId: string, type: KeyType): Promise<KeyObject>
  load(keyId: string): Promise<KeyObject | undefined>
}
