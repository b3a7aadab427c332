/** JWT authorities: bare keys, known to verifiers by a random key ID. */
import { appendAuthorities } from '../../spiffe/bundle/merge.ts'
import { type KeyType, spkiOf } from '../../spiffe/key.ts'
import type { AuthorityKind } from './authority-kind.ts'
import type { RandomBytes } from './random-bytes.ts'
import type { Authority } from './slots.ts'
import { validityFrom } from './validity.ts'

export interface JwtSigningKey extends Authority {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
}

export interface JwtSigningKeyOptions {
  readonly keyType: KeyType
  readonly ttlSeconds: number
  readonly randomBytes: RandomBytes
}

/** SPIRE behaviour §6 — `kid` is 32 random letters and digits. */
const KEY_ID_LENGTH = 32
const KEY_ID_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

export function jwtSigningKeyKind(options: JwtSigningKeyOptions): AuthorityKind<JwtSigningKey> {
  const { keyType, ttlSeconds, randomBytes } = options
  return {
    name: 'JWT',
    keyType,
    keyId: (slot) => `JWT-Signer-${slot}`,
    make: async (key, keySlot, now) => ({
      id: randomKeyId(randomBytes),
      keySlot,
      ...validityFrom(now, ttlSeconds),
      publicKey: new Uint8Array(spkiOf(key)),
    }),
    isKeyOf: (key, { publicKey }) => spkiOf(key).equals(publicKey),
    publish: (bundle, { id, publicKey, expiresAt }) =>
      appendAuthorities(bundle, {
        x509Authorities: [],
        jwtAuthorities: [{ keyId: id, publicKey, expiresAt, tainted: false }],
      }),
    isPublished: ({ jwtAuthorities }, { id, publicKey }) =>
      jwtAuthorities.some(
        (authority) => authority.keyId === id && Buffer.from(publicKey).equals(authority.publicKey),
      ),
  }
}

function randomKeyId(randomBytes: RandomBytes): string {
  let id = ''
  while (id.length < KEY_ID_LENGTH) {
    // 6 bits of each byte; the two values without a character are skipped, so that all are equally likely
    for (const byte of randomBytes(KEY_ID_LENGTH)) id += KEY_ID_CHARACTERS[byte & 63] ?? ''
  }
  return id.slice(0, KEY_ID_LENGTH)
}
