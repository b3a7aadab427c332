/** `steeple server backup`: the whole trust domain in one sealed file, of a running server or of one that is stopped. */
import { randomBytes } from 'node:crypto'
import { replaceByStream } from '../../../disk/replace-by-stream.ts'
import type { CreateBackupResponse } from '../../../proto/gen/steeple/server/backup/v1/CreateBackupResponse.ts'
import { backupApi } from '../../../proto/load.ts'
import { backupDeps } from '../../../server/backup/backup-deps.ts'
import { openBackupFile } from '../../../server/backup/backup-file.ts'
import { makeHead } from '../../../server/backup/file-head.ts'
import { openPlace } from '../../../server/backup/open-place.ts'
import { contentKey, KEY_BYTES, sealStream } from '../../../server/backup/sealed-stream.ts'
import { verifyBackup } from '../../../server/backup/verify-backup.ts'
import { writeBackup } from '../../../server/backup/write-backup.ts'
import { loadServerConfig } from '../../../server/config.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand, type Session } from '../../command.ts'
import { boolean, path } from '../../flag/kinds.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { type SocketFlags, serverSocketFlags } from '../../rpc/socket-path.ts'
import { backupText } from './backup-text.ts'
import { openersOf, sealFlags } from './openers.ts'

/** For millions of entries on a slow disk. */
const TIMEOUT_MS = 60 * 60 * 1_000

export const FILE = { usage: '<file>', count: 1, choices: 'files' } as const

export const backup = defineCommand({
  summary: 'Write the whole trust domain into one encrypted file, while the server runs',
  details: `In it: registration entries, agents, bundles, federation relationships, CA journals, and the CA keys of this server if it keeps them on disk. Not in it: join tokens, CA keys of other servers on the same database, the configuration, and the record of what was signed.

The file is read back and verified before the command succeeds. The server must be running as the same user, or this user be root. With -config the server must be stopped instead.

Only a passphrase tells later that the file was made by somebody who knows it: whoever has the public key of a recipient can make one for them. Keep the digest that is printed.`,
  examples: [
    'server backup /var/backups/steeple.backup -passphraseFile /root/passphrase',
    'server backup steeple.backup -recipient one.pub.pem -recipient other.pub.pem',
    'server backup steeple.backup -config server.conf -passphraseFile -',
  ],
  flags: {
    ...serverSocketFlags,
    ...sealFlags,
    config: path(
      'configuration file of a server that is stopped, to back it up without the socket',
    ),
    expandEnv: boolean('replace $VARIABLES in the configuration file'),
  },
  words: FILE,
  async run(flags, session, [file = '']) {
    const { terminal } = session
    mustNameOneSource(flags)
    const openers = await openersOf(flags, terminal)
    const fileKey = randomBytes(KEY_BYTES)
    const head = await makeHead(fileKey, openers, randomBytes)
    const source = flags.config === '' ? fromSocket : fromConfig
    const content = source(flags, session, fileKey, head)
    const bytes = await replaceByStream(file, withHead(head, content))
    const written = await openBackupFile(file)
    const verified = await verifyBackup(written.content(fileKey))
    terminal.print(`${backupText(verified)}Written to ${file}: ${bytes} bytes, verified\n`)
    return 0
  },
})

interface SourceFlags extends SocketFlags {
  readonly config: string
  readonly expandEnv: boolean | undefined
}

/** A flag that would do nothing is more likely a mistake about what is backed up. */
function mustNameOneSource({ config, expandEnv, socketPath, instance }: SourceFlags): void {
  const isOfSocket = socketPath !== '' || instance !== ''
  if (config !== '' && isOfSocket) {
    const why = 'a server is backed up over its socket, or by -config when it is stopped; use one'
    throw new IdentityError('REQUEST_INVALID', why)
  }
  if (config === '' && expandEnv !== undefined) {
    throw new IdentityError(
      'REQUEST_INVALID',
      '-expandEnv is for the file of -config, which is not given',
    )
  }
}

async function* fromSocket(
  flags: SourceFlags,
  session: Session,
  fileKey: Uint8Array,
  head: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  using server = connectServer(flags, session)
  const client = server.client(backupApi())
  const deadline = new Date(session.clock.now().getTime() + TIMEOUT_MS)
  const request = { file_key: Buffer.from(fileKey), head: Buffer.from(head) }
  const stream = client.Create(request, { deadline })
  try {
    // Cast: what this method answers with.
    for await (const { sealed } of stream as AsyncIterable<CreateBackupResponse>) yield sealed
  } catch (error) {
    throw server.refusal(error)
  } finally {
    stream.cancel()
  }
}

async function* fromConfig(
  { config: path, expandEnv }: SourceFlags,
  { terminal, clock }: Session,
  fileKey: Uint8Array,
  head: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  const config = loadServerConfig(path, { expandEnv }, terminal.env)
  await using place = await openPlace(config, clock)
  const deps = backupDeps(config, place, place.serverKey, clock)
  yield* sealStream(contentKey(fileKey, head), writeBackup(deps.backup))
}

async function* withHead(
  head: Uint8Array,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield head
  yield* content
}
