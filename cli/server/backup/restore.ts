/** `steeple server restore`: puts a backup into the store and the data directory that a configuration names. */
import { openBackupFile } from '../../../server/backup/backup-file.ts'
import { fileKeyOf } from '../../../server/backup/file-head.ts'
import { mustBeAlone, openPlace, type Place } from '../../../server/backup/open-place.ts'
import { occupied, restoreBackup, whatIsThere } from '../../../server/backup/restore-backup.ts'
import { type VerifiedBackup, verifyBackup } from '../../../server/backup/verify-backup.ts'
import { loadServerConfig } from '../../../server/config.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { boolean, path, text } from '../../flag/kinds.ts'
import type { Terminal } from '../../terminal.ts'
import { FILE } from './backup.ts'
import { backupText, staleText } from './backup-text.ts'
import { openerOf, openFlags } from './openers.ts'

export const restore = defineCommand({
  summary: 'Restore a backup into an empty store; the server must be stopped',
  details: `The whole file is verified before anything is written, and it is written in one transaction: whatever happens, the store is as it was or as the backup says.

Agents go on with the SVIDs and bundles that they have, because the CA keys are the same. An agent whose SVID is newer than the backup attests anew by itself; one that was admitted by a join token, which works once, goes on with it.

What was done after the backup was made is not in it: the bundle is printed, and authorities revoked since then must be revoked again.`,
  examples: [
    'server restore steeple.backup -config server.conf -passphraseFile /root/passphrase',
    'server restore steeple.backup -config server.conf -identity private.pem -verify',
  ],
  flags: {
    ...openFlags,
    config: { ...path('configuration file'), defaultText: 'conf/server/server.conf' },
    expandEnv: boolean('replace $VARIABLES in the configuration file'),
    force: boolean('remove what is there; it is printed first'),
    digest: text(
      'refuse a backup of another digest than this one, as it was printed when it was made',
    ),
    verify: boolean('only check that the backup could be restored'),
  },
  words: FILE,
  async run(flags, { terminal, clock }, [path = '']) {
    if (flags.verify === true && flags.force === true) {
      const why = '-verify writes nothing, so there is nothing to -force; use one'
      throw new IdentityError('REQUEST_INVALID', why)
    }
    const config = loadServerConfig(flags.config, { expandEnv: flags.expandEnv }, terminal.env)
    const opener = await openerOf(flags, terminal)
    const file = await openBackupFile(path)
    const fileKey = await fileKeyOf(file.head, opener)
    const verified = await verifyBackup(file.content(fileKey))
    mustBeOf(verified, config.trustDomain)
    mustHaveDigest(verified, flags.digest)
    terminal.print(backupText(verified))
    if (flags.verify === true) {
      terminal.print('The backup is whole and can be restored; nothing was written\n')
      return 0
    }
    await using place = await openPlace(config, clock)
    await mustBeAlone(place)
    const present = await place.store.bundles.find(config.trustDomain)
    await clearTheWay(place, verified, flags.force === true, terminal)
    await restoreBackup(place, verified, file.content(fileKey), flags.force === true)
    terminal.complain(staleText(verified, present))
    warnOfKeys(verified, place, terminal)
    terminal.print('Restored; start the server\n')
    return 0
  },
})

async function clearTheWay(
  place: Place,
  { keys }: VerifiedBackup,
  isForced: boolean,
  terminal: Terminal,
): Promise<void> {
  const there = await whatIsThere(place, keys)
  if (there.length === 0) return
  if (!isForced) throw occupied(there)
  for (const line of there) terminal.complain(`Removing ${line}\n`)
}

function mustBeOf({ manifest }: VerifiedBackup, trustDomain: string): void {
  if (manifest.trustDomain === trustDomain) return
  throw new IdentityError(
    'REQUEST_INVALID',
    `the backup is of trust domain ${manifest.trustDomain}, expected ${trustDomain} as the configuration says`,
  )
}

function mustHaveDigest({ sha256 }: VerifiedBackup, digest: string): void {
  if (digest === '' || digest.toLowerCase() === sha256) return
  throw new IdentityError('REQUEST_INVALID', `the backup has digest ${sha256}, expected ${digest}`)
}

function warnOfKeys({ keys }: VerifiedBackup, { keysPath }: Place, terminal: Terminal): void {
  if (keys === undefined) {
    terminal.complain('Warning: the backup holds no CA keys: the server makes new authorities\n')
  } else if (keysPath === undefined) {
    const why = 'the configuration keeps keys in memory'
    terminal.complain(
      `Warning: ${why}: those of the backup are not used, the server makes new authorities\n`,
    )
  }
}
