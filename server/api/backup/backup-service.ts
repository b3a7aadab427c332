/**
 * `steeple.server.backup.v1.Backup`: the content of the trust domain, with the CA keys of this server, sealed here. No key
 * leaves the process unsealed, and only who could read the keys file anyway is given it at all.
 *
 * @see proto/steeple/server/backup/v1/backup.proto
 */
import type { BackupHandlers } from '../../../proto/gen/steeple/server/backup/v1/Backup.ts'
import type { Implementation } from '../../../proto/serve.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { contentKey, KEY_BYTES, sealStream } from '../../backup/sealed-stream.ts'
import { type BackupDeps, writeBackup } from '../../backup/write-backup.ts'
import type { Caller } from '../../listen/caller.ts'

export interface BackupServiceDeps {
  readonly backup: BackupDeps
  /** The user that this process runs as. */
  readonly ownUid: number
}

const ROOT = 0
const MAX_HEAD_BYTES = 128 * 1024

export function backupService({
  backup,
  ownUid,
}: BackupServiceDeps): Implementation<Caller, BackupHandlers> {
  return {
    async Create({ file_key: fileKey, head }, { caller, signal }, send) {
      mustBeOwner(caller, ownUid)
      if (fileKey.length !== KEY_BYTES || head.length === 0 || head.length > MAX_HEAD_BYTES) {
        const why = `the key is of ${fileKey.length} bytes and the head of ${head.length}`
        const expected = `expected ${KEY_BYTES}, and 1 to ${MAX_HEAD_BYTES}`
        throw new IdentityError('REQUEST_INVALID', `${why}, ${expected}`)
      }
      for await (const sealed of sealStream(contentKey(fileKey, head), writeBackup(backup))) {
        if (signal.aborted) return // and the snapshot goes with the generators
        await send({ sealed })
      }
    },
  }
}

/** Fails closed: the group of the admin socket administers, but it has no CA keys. */
function mustBeOwner(caller: Caller, ownUid: number): void {
  if (caller.kind === 'unix' && (caller.uid === ownUid || caller.uid === ROOT)) return
  const who = caller.kind === 'unix' ? `user ${caller.uid}` : 'a caller over the network'
  const why = 'a backup holds the CA keys: only the user of the server and root may make one'
  throw new IdentityError('NOT_AUTHORIZED', `${why}, not ${who}`)
}
