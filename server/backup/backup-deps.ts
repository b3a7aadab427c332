/** What a backup of a server is made of, by its configuration; the same for a running server and for one that is stopped. */
import { geteuid } from 'node:process'
import type { Clock } from '../../spiffe/clock.ts'
import type { ServerConfig } from '../config.ts'
import type { StoreDump } from '../store/dump.ts'
import type { BackupDeps } from './write-backup.ts'

/** No user has it: where users cannot be told apart, nobody but root is given keys. */
const NOBODY = -1

export function backupDeps(
  { trustDomain, keyManager }: Pick<ServerConfig, 'trustDomain' | 'keyManager'>,
  { dump }: { readonly dump: StoreDump },
  serverKey: string,
  clock: Pick<Clock, 'now'>,
): { readonly backup: BackupDeps; readonly ownUid: number } {
  const keysPath = keyManager.kind === 'disk' ? keyManager.keysPath : undefined
  return {
    backup: { dump, trustDomain, serverKey, keysPath, clock },
    ownUid: geteuid?.() ?? NOBODY,
  }
}
