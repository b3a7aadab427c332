/** A directory with a configuration for a server, keys of somebody who may open backups, and a passphrase. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const PASSPHRASE = 'four words and more'

export interface BackupPlace extends Disposable {
  readonly dir: string
  /** The configuration file. */
  readonly config: string
  readonly passphraseFile: string
  /** PEM files with the two halves of an X25519 key, which cost nothing where scrypt is meant to. */
  readonly recipient: string
  readonly identity: string
  file(name: string): string
}

export interface PlaceOptions {
  readonly trustDomain?: string
  readonly dir?: string
  readonly keyManager?: 'disk' | 'memory'
  readonly postgres?: string
}

export function backupPlace(options: PlaceOptions = {}): BackupPlace {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'steeple-backup-'))
  const file = (name: string) => join(dir, name)
  const pair = generateKeyPairSync('x25519')
  writeFileSync(file('recipient.pem'), pair.publicKey.export({ type: 'spki', format: 'pem' }))
  writeFileSync(file('identity.pem'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(file('passphrase'), `${PASSPHRASE}\n`)
  writeFileSync(file('server.conf'), serverConf(dir, options))
  return {
    dir,
    config: file('server.conf'),
    passphraseFile: file('passphrase'),
    recipient: file('recipient.pem'),
    identity: file('identity.pem'),
    file,
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}

function serverConf(dir: string, { trustDomain, keyManager, postgres }: PlaceOptions): string {
  const store =
    postgres === undefined
      ? `database_type = "sqlite3"  connection_string = "${dir}/datastore.sqlite3"`
      : `database_type = "postgres"  connection_string = "${postgres}"`
  const keys =
    keyManager === 'memory'
      ? 'KeyManager "memory" { plugin_data {} }'
      : `KeyManager "disk" { plugin_data { keys_path = "${dir}/keys.json" } }`
  return `server {
  trust_domain = "${trustDomain ?? 'example.org'}"
  data_dir = "${dir}"
  socket_path = "${dir}/api.sock"
}
plugins {
  DataStore "sql" { plugin_data { ${store} } }
  ${keys}
  NodeAttestor "join_token" { plugin_data {} }
}
`
}
