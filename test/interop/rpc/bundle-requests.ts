/** Bundles as requests bring them, and trust domains of every form that is none. */
import { PUBLIC_KEYS } from './material.ts'
import type { Message } from './methods.ts'

export const BUNDLE_FIELDS = [
  'x509_authorities',
  'jwt_authorities',
  'refresh_hint',
  'sequence_number',
  'wit_authorities',
]
export const x509 = (...certificates: readonly Buffer[]) => ({
  x509_authorities: certificates.map((asn1) => ({ asn1 })),
})
export const jwtKey = (changes: Message = {}): Message => ({
  public_key: PUBLIC_KEYS.p256,
  key_id: 'key-one',
  expires_at: 4102444800,
  ...changes,
})
export const jwt = (...keys: readonly Message[]) => ({ jwt_authorities: keys })
/** Names that are none, and the server's own. */
export const WRONG_DOMAINS = [
  '',
  ' ',
  'BAD.org',
  'bad domain',
  'spiffe://',
  'spiffe://f1.org/path',
  'f1.org/path',
  'f1.org:80',
  'user@f1.org',
  'example.org',
  'spiffe://example.org',
]
