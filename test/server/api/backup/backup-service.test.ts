/** Who is given the CA keys, even sealed: the user that the server runs as, and root. */
import { Metadata } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { backupService } from '../../../../server/api/backup/backup-service.ts'
import { contentKey, openStream } from '../../../../server/backup/sealed-stream.ts'
import { verifyBackup } from '../../../../server/backup/verify-backup.ts'
import type { Caller } from '../../../../server/listen/caller.ts'
import { openStore } from '../../../../server/store/sqlite/open-store.ts'
import { FakeClock } from '../../../fakes/clock.ts'
import { id } from '../../an-entry.ts'

const OWN_UID = 1_234
const FILE_KEY = Buffer.alloc(32, 5)
const HEAD = Buffer.from('a head')

const unix = (uid: number): Caller => ({
  ...{ kind: 'unix', pid: 1, uid, gid: OWN_UID },
  isAlive: () => true,
})
const admin: Caller = {
  ...{ kind: 'peer', ip: '192.0.2.1', port: 1 },
  svid: { id: id('/admin'), serialNumber: '1', expiresAt: new Date(0) },
  verifyAgain: async () => {},
}

async function create(caller: Caller, fileKey = FILE_KEY, head = HEAD) {
  const clock = new FakeClock()
  await using store = await openStore({ path: ':memory:', clock })
  const backup = {
    ...{ dump: store.dump, trustDomain: 'example.org', serverKey: 'server', clock },
    keysPath: undefined,
  }
  const { Create } = backupService({ backup, ownUid: OWN_UID })
  const pieces: Buffer[] = []
  const { signal } = new AbortController()
  const call = { caller, method: 'Create', metadata: new Metadata(), signal }
  await Create?.({ file_key: fileKey, head }, call, async ({ sealed }) => {
    pieces.push(Buffer.from(sealed ?? ''))
  })
  return pieces
}

test.each([
  ['the user of the server', OWN_UID],
  ['root', 0],
])('%s is given a backup, sealed with the key and the head that came', async (_, uid) => {
  const sealed = await create(unix(uid))
  async function* pieces() {
    yield* sealed
  }
  const opened = openStream(contentKey(FILE_KEY, HEAD), pieces())
  expect(await verifyBackup(opened)).toMatchObject({ counts: { entries: 0 }, keys: undefined })
})

test.each([
  ['another user of the group of the socket', unix(OWN_UID + 1), 'not user 1235'],
  ['an administrator over the network', admin, 'not a caller over the network'],
])('%s is refused', async (_, caller, why) => {
  await expect(create(caller)).rejects.toMatchObject({
    code: 'NOT_AUTHORIZED',
    message: expect.stringContaining(why),
  })
})

test.each([
  ['a key that is too short', FILE_KEY.subarray(1), HEAD],
  ['no key', Buffer.alloc(0), HEAD],
  ['no head', FILE_KEY, Buffer.alloc(0)],
  ['a head without end', FILE_KEY, Buffer.alloc(129 * 1024)],
])('a request with %s is refused', async (_, fileKey, head) => {
  await expect(create(unix(0), fileKey, head)).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
})
