/**
 * The signature algorithms that are believed, each known by its whole AlgorithmIdentifier, parameters included.
 * Whatever is not in the table is refused: SHA-1, MD5, and RSASSA-PSS with hashes that do not match.
 *
 * @see RFC 5758 §3.2, RFC 4055 §3 and §5, RFC 8410 §3
 */
import { constants, type KeyObject, sign, verify } from 'node:crypto'
import { IdentityError } from '../error.ts'
import { TAG } from './der.ts'
import { encode, integer, oid, sequence } from './der-write.ts'
import { OID } from './oid.ts'
import type { KeyKind } from './public-key.ts'

interface Algorithm {
  readonly key: KeyKind
  /** undefined: the algorithm hashes by itself. */
  readonly hash: string | undefined
  readonly pssSaltBytes?: number
}

const HASHES = [
  { hash: 'sha256', bytes: 32, oid: OID.sha256, ecdsa: OID.ecdsaSha256, rsa: OID.rsaSha256 },
  { hash: 'sha384', bytes: 48, oid: OID.sha384, ecdsa: OID.ecdsaSha384, rsa: OID.rsaSha384 },
  { hash: 'sha512', bytes: 64, oid: OID.sha512, ecdsa: OID.ecdsaSha512, rsa: OID.rsaSha512 },
] as const

const NULL = encode(TAG.null)
const NOTHING = Buffer.alloc(0)

/** AlgorithmIdentifier in hex → what it means. RFC 4055 lets a hash and RSA have NULL or nothing as parameter. */
const BELIEVED: ReadonlyMap<string, Algorithm> = new Map(
  [
    { identifier: sequence(oid(OID.ed25519)), key: 'ed25519', hash: undefined } as const,
    ...HASHES.flatMap(({ hash, bytes, oid: digest, ecdsa, rsa }) => [
      { identifier: sequence(oid(ecdsa)), key: 'ec', hash } as const,
      ...[NULL, NOTHING].flatMap((parameter) => [
        { identifier: sequence(oid(rsa), parameter), key: 'rsa', hash } as const,
        {
          identifier: pssIdentifier(sequence(oid(digest), parameter), bytes),
          key: 'rsa',
          hash,
          pssSaltBytes: bytes,
        } as const,
      ]),
    ]),
  ].map(({ identifier, ...algorithm }) => [identifier.toString('hex'), algorithm]),
)

function pssIdentifier(digest: Buffer, saltBytes: number): Buffer {
  const mask = sequence(oid(OID.mgf1), digest)
  const salt = integer(Buffer.of(saltBytes))
  return sequence(
    oid(OID.rsaPss),
    sequence(encode(0xa0, digest), encode(0xa1, mask), encode(0xa2, salt)),
  )
}

export function isBelieved(algorithmIdentifier: Uint8Array): boolean {
  return BELIEVED.has(hex(algorithmIdentifier))
}

/** Whether `key` made the signature, with an algorithm that is believed. False on any doubt. */
export function isSignedBy(
  key: KeyObject,
  algorithmIdentifier: Uint8Array,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const check = checkOf(key, algorithmIdentifier)
  if (check === undefined) return false
  try {
    return verify(check.hash, data, check.key, signature)
  } catch {
    return false // a signature that cannot even be read
  }
}

/** As `isSignedBy`, but computed by another thread: for who has many to check. Resolves in any order, and never rejects. */
export function isSignedByElsewhere(
  key: KeyObject,
  algorithmIdentifier: Uint8Array,
  data: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const check = checkOf(key, algorithmIdentifier)
  if (check === undefined) return Promise.resolve(false)
  return new Promise((resolve) => {
    try {
      // Fails closed: an error is a refusal, and so is any answer but a plain yes.
      verify(check.hash, data, check.key, signature, (error, isValid) =>
        resolve(error === null && isValid === true),
      )
    } catch {
      resolve(false)
    }
  })
}

interface Check {
  readonly hash: string | null
  readonly key: Parameters<typeof verify>[2]
}

/** How to check; undefined: with an algorithm that is not believed, or a key of another kind. */
function checkOf(key: KeyObject, algorithmIdentifier: Uint8Array): Check | undefined {
  const algorithm = BELIEVED.get(hex(algorithmIdentifier))
  if (algorithm === undefined || key.asymmetricKeyType !== algorithm.key) return undefined
  const { hash = null, pssSaltBytes } = algorithm
  if (pssSaltBytes === undefined) return { hash, key }
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return { hash, key: { key, padding, saltLength: pssSaltBytes } }
}

/** What a key of ours signs with, as SPIRE's does: SHA-256, but SHA-384 with P-384. */
export interface Signer {
  /** AlgorithmIdentifier, DER. */
  readonly identifier: Buffer
  sign(data: Uint8Array): Buffer
}

const SIGNERS: Readonly<Record<string, { readonly identifier: Buffer; readonly hash: string }>> = {
  prime256v1: { identifier: sequence(oid(OID.ecdsaSha256)), hash: 'sha256' },
  secp384r1: { identifier: sequence(oid(OID.ecdsaSha384)), hash: 'sha384' },
  rsa: { identifier: sequence(oid(OID.rsaSha256), NULL), hash: 'sha256' },
}

/** @param key private @throws IdentityError INTERNAL for a key of a kind that we never make */
export function signerOf(key: KeyObject): Signer {
  const kind =
    key.asymmetricKeyType === 'rsa' ? 'rsa' : (key.asymmetricKeyDetails?.namedCurve ?? '')
  const signer = SIGNERS[kind]
  if (signer === undefined) {
    throw new IdentityError(
      'INTERNAL',
      `cannot sign with a key of type ${kind || key.asymmetricKeyType}`,
    )
  }
  const { identifier, hash } = signer
  return { identifier, sign: (data) => sign(hash, data, key) }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
