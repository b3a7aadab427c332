/** JWT authorities: bare keys, known to verifiers by a random key ID. */
import {
  appendAuthorities,
  revokeJwtAuthority,
  taintJwtAuthority,
} from '../../spiffe/bundle/merge.ts'
import type { Bundle, JwtAuthority } from '../../spiffe/bundle.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { type KeyType, spkiOf } from '../../spiffe/key.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import type { UpstreamAuthority } from '../upstream/upstream-authority.ts'
import type { AuthorityKind } from './authority-kind.ts'
import { mustNotSign } from './choose-authority.ts'
import type { Authority, Slots } from './slots.ts'
import { validityFrom } from './validity.ts'

export interface JwtSigningKey extends Authority {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
}

export interface JwtSigningKeyOptions {
  readonly keyType: KeyType
  readonly ttlSeconds: number
  readonly randomBytes: RandomBytes
  /** Where keys are made known before they are used; undefined: in our own bundle alone. */
  readonly upstream: Pick<UpstreamAuthority, 'publishJwtKey'> | undefined
}

/** SPIRE behaviour §6 — `kid` is 32 random letters and digits. */
const KEY_ID_LENGTH = 32
const KEY_ID_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

export function jwtSigningKeyKind(options: JwtSigningKeyOptions): AuthorityKind<JwtSigningKey> {
  const { keyType, ttlSeconds, randomBytes, upstream } = options
  // Between being made and being published: what upstream knows.
  const knownAbove = new WeakMap<JwtSigningKey, readonly JwtAuthority[]>()
  return {
    name: 'JWT',
    keyType,
    keyId: (slot) => `JWT-Signer-${slot}`,
    async make(key, keySlot, now) {
      const made = {
        id: randomKeyId(randomBytes),
        keySlot,
        ...validityFrom(now, ttlSeconds),
        publicKey: new Uint8Array(spkiOf(key)),
      }
      const known = await upstream?.publishJwtKey(toAuthority(made))
      if (known !== undefined) knownAbove.set(made, known)
      return made
    },
    isAsConfigured: () => true,
    isKeyOf: (key, { publicKey }) => spkiOf(key).equals(publicKey),
    publish: (bundle, made) =>
      appendAuthorities(bundle, {
        x509Authorities: [],
        jwtAuthorities: [...(knownAbove.get(made) ?? []), toAuthority(made)],
      }),
    isPublished: ({ jwtAuthorities }, { id, publicKey }) =>
      jwtAuthorities.some(
        (authority) => authority.keyId === id && Buffer.from(publicKey).equals(authority.publicKey),
      ),
    isTainted: ({ jwtAuthorities }, { id }) =>
      jwtAuthorities.some(({ keyId, tainted }) => tainted && keyId === id),
    withdraw(bundle, { id }) {
      const without = revokeJwtAuthority(taintJwtAuthority(bundle, id), id)
      return { ...without, sequenceNumber: bundle.sequenceNumber + 1 }
    },
    taint: taintJwtAuthority,
    mustBeRevocable,
    revoke: revokeJwtAuthority,
  }
}

export function toAuthority({ id, publicKey, expiresAt }: JwtSigningKey): JwtAuthority {
  return { keyId: id, publicKey, expiresAt, tainted: false }
}

/** Unlike an X.509 authority, any tainted key may go, also one that was old before the old one. */
function mustBeRevocable(slots: Slots<Authority>, { jwtAuthorities }: Bundle, id: string): void {
  mustNotSign(slots, id)
  const { prepared, old } = slots
  if (prepared?.id === id) {
    throw new IdentityError('REQUEST_INVALID', 'invalid authority ID: unable to use a prepared key')
  }
  if (old?.id === id || jwtAuthorities.some(({ keyId }) => keyId === id)) return
  throw new IdentityError(
    'REQUEST_INVALID',
    'invalid authority ID: no JWT authority found with provided authority ID',
  )
}

function randomKeyId(randomBytes: RandomBytes): string {
  let id = ''
  while (id.length < KEY_ID_LENGTH) {
    // 6 bits of each byte; the two values without a character are skipped, so that all are equally likely
    for (const byte of randomBytes(KEY_ID_LENGTH)) id += KEY_ID_CHARACTERS[byte & 63] ?? ''
  }
  return id.slice(0, KEY_ID_LENGTH)
}
