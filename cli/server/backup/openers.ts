/** Who may open a backup, as flags name them. A passphrase comes from a file or standard input, never as an argument. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import {
  MIN_PASSPHRASE_CHARS,
  type Opener,
  type Openers,
} from '../../../server/backup/file-head.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { list, path } from '../../flag/kinds.ts'
import type { Terminal } from '../../terminal.ts'
import { readInputFile } from '../input-file.ts'

const passphraseFile = path(
  'file whose first line is the passphrase of the backup, or - for standard input',
)

export const sealFlags = {
  passphraseFile,
  recipient: {
    ...list('PEM file with the X25519 public key of somebody who may open the backup'),
    placeholder: 'path',
    choices: 'files' as const,
  },
}

export const openFlags = {
  passphraseFile,
  identity: path('PEM file with the X25519 private key of a recipient'),
}

/** @throws IdentityError REQUEST_INVALID; what is secret is not quoted */
export async function openersOf(
  flags: { readonly passphraseFile: string; readonly recipient: readonly string[] },
  terminal: Terminal,
): Promise<Openers> {
  if (flags.passphraseFile === '' && flags.recipient.length === 0) {
    throw refusal('nobody could open the backup: name a -passphraseFile or a -recipient')
  }
  const recipients: KeyObject[] = []
  for (const file of flags.recipient) {
    const pem = await readInputFile(file, terminal)
    if (pem.includes('PRIVATE KEY'))
      throw refusal(`${file} holds a private key: name the public one`)
    recipients.push(readKey(file, 'public', () => createPublicKey(pem)))
  }
  const passphrase = await readPassphrase(flags.passphraseFile, terminal)
  return { passphrase, recipients }
}

/** @throws IdentityError REQUEST_INVALID; what is secret is not quoted */
export async function openerOf(
  flags: { readonly passphraseFile: string; readonly identity: string },
  terminal: Terminal,
): Promise<Opener> {
  const passphrase = await readPassphrase(flags.passphraseFile, terminal)
  if ((passphrase === undefined) === (flags.identity === '')) {
    throw refusal('name what opens the backup: either a -passphraseFile or an -identity')
  }
  if (passphrase !== undefined) return { kind: 'passphrase', passphrase }
  const pem = await readInputFile(flags.identity, terminal)
  const privateKey = readKey(flags.identity, 'private', () => createPrivateKey(pem))
  return { kind: 'private-key', privateKey }
}

async function readPassphrase(file: string, terminal: Terminal): Promise<string | undefined> {
  if (file === '') return undefined
  const [line = ''] = (await readInputFile(file, terminal)).split(/\r?\n/, 1)
  if (line.length < MIN_PASSPHRASE_CHARS) {
    const where = file === '-' ? 'standard input' : file
    const expected = `expected at least ${MIN_PASSPHRASE_CHARS} characters in the first line`
    throw refusal(`the passphrase in ${where} is too short, ${expected}`)
  }
  return line
}

function readKey(file: string, which: 'public' | 'private', read: () => KeyObject): KeyObject {
  let kind: string | undefined
  try {
    const key = read()
    if (key.asymmetricKeyType === 'x25519') return key
    kind = key.asymmetricKeyType
  } catch {
    // What OpenSSL says might quote the file.
  }
  const seen = kind === undefined ? `no ${which} key in PEM` : `a ${which} key of type ${kind}`
  throw refusal(
    `${file} holds ${seen}, expected an X25519 ${which} key: openssl genpkey -algorithm x25519`,
  )
}

function refusal(message: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', message)
}
