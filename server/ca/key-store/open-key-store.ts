/** The key store that the configuration names: in memory, or a file that a restart goes on from. */
import type { Log } from '../../../log/open-log.ts'
import type { ServerKeyManager } from '../../config.ts'
import { openDiskKeyStore } from './disk.ts'
import type { KeyStore } from './key-store.ts'
import { memoryKeyStore } from './memory.ts'

/** @throws IdentityError as `openDiskKeyStore` */
export async function openKeyStore(keyManager: ServerKeyManager, log: Log): Promise<KeyStore> {
  return keyManager.kind === 'disk'
    ? await openDiskKeyStore({ path: keyManager.keysPath, log })
    : memoryKeyStore()
}
