/**
 * The head of a backup: how the key of the file can be had, by a passphrase or by the private key of one of its recipients.
 * The head is bound into the key of the content, so a changed one opens nothing.
 *
 * Who has a recipient's public key can make a file for them: only a passphrase tells that the file is from who knows it.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  scrypt,
} from 'node:crypto'
import { z } from 'zod'
import { IdentityError } from '../../spiffe/error.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import { KEY_BYTES } from './sealed-stream.ts'

export const MAGIC = Buffer.from('steeple backup\n')
const VERSION = 1
/** Magic, version (1 byte), length of the JSON that follows (4 bytes). */
export const HEAD_START_BYTES = MAGIC.length + 5
const MAX_JSON_BYTES = 64 * 1024
export const MAX_RECIPIENTS = 32
const SALT_BYTES = 16
const TAG_BYTES = 16
/** Each wrapping key is used once. */
const NONCE = Buffer.alloc(12)

/** scrypt with 128 MiB and about half a second. */
const SCRYPT_COST = 2 ** 17
const SCRYPT_BLOCK = 8
/** A file cannot make us use more than 1 GiB. */
const MAX_SCRYPT_COST = 2 ** 20
export const MIN_PASSPHRASE_CHARS = 8

const base64 = (bytes: number) =>
  z
    .base64()
    .transform((text) => Buffer.from(text, 'base64'))
    .refine(({ length }) => length === bytes)

const WRAPPED = base64(KEY_BYTES + TAG_BYTES)
const HEAD = z.strictObject({
  keys: z
    .array(
      z.discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('scrypt'),
          salt: base64(SALT_BYTES),
          cost: z
            .int()
            .min(2)
            .max(MAX_SCRYPT_COST)
            .refine((cost) => Number.isInteger(Math.log2(cost))),
          wrapped: WRAPPED,
        }),
        z.strictObject({ kind: z.literal('x25519'), ephemeral: base64(32), wrapped: WRAPPED }),
      ]),
    )
    .min(1)
    .max(MAX_RECIPIENTS + 1),
})

export type Head = z.output<typeof HEAD>

/** Who may open a file: at least one of the two. */
export interface Openers {
  readonly passphrase: string | undefined
  /** X25519. */
  readonly recipients: readonly KeyObject[]
}

export type Opener =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | { readonly kind: 'private-key'; readonly privateKey: KeyObject }

/** @param cost of scrypt; left out: that of this version */
export async function makeHead(
  fileKey: Uint8Array,
  { passphrase, recipients }: Openers,
  randomBytes: RandomBytes,
  cost: number = SCRYPT_COST,
): Promise<Buffer> {
  if (passphrase !== undefined && passphrase.length < MIN_PASSPHRASE_CHARS) {
    throw refusal(`the passphrase is shorter than ${MIN_PASSPHRASE_CHARS} characters`)
  }
  if (recipients.length > MAX_RECIPIENTS) {
    throw refusal(`there are ${recipients.length} recipients, expected at most ${MAX_RECIPIENTS}`)
  }
  const keys: object[] = []
  if (passphrase !== undefined) {
    const salt = Buffer.from(randomBytes(SALT_BYTES))
    const wrapped = wrap(await stretch(passphrase, salt, cost), fileKey)
    keys.push({ kind: 'scrypt', salt: text(salt), cost, wrapped: text(wrapped) })
  }
  for (const recipient of recipients) {
    const pair = generateKeyPairSync('x25519')
    const ephemeral = rawPublic(pair.publicKey)
    const wrapped = wrap(agree(pair.privateKey, recipient, ephemeral), fileKey)
    keys.push({ kind: 'x25519', ephemeral: text(ephemeral), wrapped: text(wrapped) })
  }
  if (keys.length === 0)
    throw refusal('nobody could open the backup: name a passphrase or a recipient')
  const json = Buffer.from(JSON.stringify({ keys }))
  const start = Buffer.alloc(HEAD_START_BYTES)
  MAGIC.copy(start)
  start[MAGIC.length] = VERSION
  start.writeUInt32BE(json.length, MAGIC.length + 1)
  return Buffer.concat([start, json])
}

/** @returns how many bytes of JSON follow the start @throws IdentityError REQUEST_INVALID */
export function readHeadStart(start: Buffer): number {
  if (start.length < HEAD_START_BYTES || !start.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw refusal('the file is no backup of a steeple server: it does not begin as one')
  }
  const version = start[MAGIC.length]
  if (version !== VERSION) {
    throw refusal(
      `the backup is of format ${version}, expected ${VERSION}: use the version that made it`,
    )
  }
  const length = start.readUInt32BE(MAGIC.length + 1)
  if (length > MAX_JSON_BYTES) throw damagedHead()
  return length
}

/** @throws IdentityError REQUEST_INVALID */
export function parseHead(json: Buffer): Head {
  try {
    return HEAD.parse(JSON.parse(json.toString()))
  } catch {
    throw damagedHead()
  }
}

/** @throws IdentityError REQUEST_INVALID when it does not open the file */
export async function fileKeyOf(head: Head, opener: Opener): Promise<Buffer> {
  for (const one of head.keys) {
    const opened =
      one.kind === 'scrypt'
        ? opener.kind === 'passphrase' &&
          unwrap(await stretch(opener.passphrase, one.salt, one.cost), one.wrapped)
        : opener.kind === 'private-key' && unwrap(agreed(opener.privateKey, one), one.wrapped)
    if (opened !== false && opened !== undefined) return opened
  }
  const has = (kind: string) => head.keys.some((one) => one.kind === kind)
  if (opener.kind === 'passphrase') {
    throw refusal(
      has('scrypt')
        ? 'the passphrase does not open the backup; if it is the right one, the head of the file is damaged'
        : 'the backup has no passphrase: it opens with the private key of a recipient',
    )
  }
  throw refusal(
    has('x25519')
      ? 'the private key opens nothing of the backup: it is of none of its recipients, or the head of the file is damaged'
      : 'the backup has no recipients: it opens with its passphrase',
  )
}

function stretch(passphrase: string, salt: Buffer, cost: number): Promise<Buffer> {
  const options = { N: cost, r: SCRYPT_BLOCK, p: 1, maxmem: 256 * cost * SCRYPT_BLOCK }
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

function agree(own: KeyObject, other: KeyObject, ephemeral: Uint8Array): Uint8Array {
  const secret = diffieHellman({ privateKey: own, publicKey: other })
  return new Uint8Array(
    hkdfSync('sha256', secret, ephemeral, 'steeple backup recipient', KEY_BYTES),
  )
}

function agreed(own: KeyObject, { ephemeral }: { readonly ephemeral: Buffer }) {
  try {
    return agree(own, publicOf(ephemeral), ephemeral)
  } catch {
    return undefined // a point of small order: no honest file holds one
  }
}

function wrap(key: Uint8Array, fileKey: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, NONCE)
  return Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()])
}

function unwrap(key: Uint8Array | undefined, wrapped: Buffer): Buffer | undefined {
  if (key === undefined) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, NONCE, { authTagLength: TAG_BYTES })
  decipher.setAuthTag(wrapped.subarray(-TAG_BYTES))
  const fileKey = decipher.update(wrapped.subarray(0, -TAG_BYTES))
  try {
    decipher.final()
    return fileKey
  } catch {
    return undefined // fails closed: another key
  }
}

function rawPublic(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
}

function publicOf(raw: Buffer): KeyObject {
  const jwk = { kty: 'OKP', crv: 'X25519', x: raw.toString('base64url') }
  return createPublicKey({ key: jwk, format: 'jwk' })
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

const damagedHead = () => refusal('the head of the backup is damaged: use another copy of it')

function refusal(message: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', message)
}
