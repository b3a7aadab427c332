/**
 * Account key and certificates on disk, so that a restart asks the CA for nothing. The files have the form of Go's
 * autocert, by which SPIRE's OIDC provider keeps its own: either takes over from the other. Each is for its owner alone
 * (0600).
 */
import type { KeyObject } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../disk/replace-file.ts'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { generateKey, keyTypeOf } from '../spiffe/key.ts'
import { judgeCertificate, parsePemKey, type WebCertificate } from './web-certificate.ts'

export interface AcmeCache {
  /** The same at every call; made and kept at the first. @throws IdentityError CONFIG_INVALID when it is damaged */
  accountKey(): Promise<KeyObject>
  /**
   * @returns undefined when there is none
   * @throws IdentityError CERTIFICATE_UNTRUSTED or CERTIFICATE_MALFORMED when there is one of no use
   */
  find(domain: string, now: Date): Promise<WebCertificate | undefined>
  /** @throws IdentityError UNAVAILABLE: the disk may take it later */
  keep(domain: string, certificate: WebCertificate): Promise<void>
}

const ACCOUNT = 'acme_account+key'
const DIRECTORY_MODE = 0o700
const BEGIN_CERTIFICATE = '-----BEGIN CERTIFICATE-----'

/** Of one process; nothing outlives it. */
export async function memoryCache(): Promise<AcmeCache> {
  const key = await generateKey('ec-p256')
  return { accountKey: async () => key, find: async () => undefined, keep: async () => {} }
}

/** @throws IdentityError CONFIG_INVALID when the directory cannot be had */
export async function openCache(directory: string): Promise<AcmeCache> {
  try {
    await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE })
  } catch (cause) {
    const why = `cannot keep certificates in ${directory}: ${reasonOf(cause)}; it must be a directory that this user may write to`
    throw new IdentityError('CONFIG_INVALID', why, { cause })
  }
  const at = (name: string) => join(directory, name)
  let account: Promise<KeyObject> | undefined
  return {
    accountKey() {
      account ??= openAccountKey(at(ACCOUNT))
      return account
    },
    async find(domain, now) {
      const pem = await readIfThere(at(domain))
      if (pem === undefined) return undefined
      const begin = pem.indexOf(BEGIN_CERTIFICATE)
      const chain = begin === -1 ? '' : pem.slice(begin)
      return judgeCertificate(chain, parsePemKey(pem), { domain, now })
    },
    async keep(domain, { shown }) {
      // autocert reads the key in this form first.
      const key = sec1(parsePemKey(shown.key))
      await write(at(domain), `${key}${shown.cert}`)
    },
  }
}

async function openAccountKey(path: string): Promise<KeyObject> {
  const pem = await readIfThere(path)
  if (pem === undefined) {
    const made = await generateKey('ec-p256')
    await write(path, sec1(made))
    return made
  }
  try {
    const key = parsePemKey(pem)
    if (keyTypeOf(key) === 'ec-p256') return key
  } catch {
    // Said below, without a word of what is in it.
  }
  const why = `${path} is damaged: expected a P-256 private key in PEM; remove it to make a new account with the CA`
  throw new IdentityError('CONFIG_INVALID', why)
}

const sec1 = (key: KeyObject) => String(key.export({ type: 'sec1', format: 'pem' }))

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    // Cast: what node:fs rejects with.
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new IdentityError('CONFIG_INVALID', `cannot read ${path}: ${reasonOf(cause)}`, { cause })
  }
}

async function write(path: string, text: string): Promise<void> {
  try {
    await replaceFile(path, text, { durable: true })
  } catch (cause) {
    throw new IdentityError('UNAVAILABLE', `cannot write ${path}: ${reasonOf(cause)}`, { cause })
  }
}
