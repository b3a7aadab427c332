/** X.509 authorities: self-signed CA certificates, which sign SVIDs and nothing else. */
import {
  appendAuthorities,
  revokeX509Authority,
  taintX509Authority,
} from '../../spiffe/bundle/merge.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import { type KeyType, spkiOf } from '../../spiffe/key.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import { type CaSubject, createCaCertificate } from '../../spiffe/x509/ca-certificate.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { authorityIdOf } from '../../spiffe/x509/key-id.ts'
import type { AuthorityKind } from './authority-kind.ts'
import { mustNotSign } from './choose-authority.ts'
import { randomSerial } from './serial.ts'
import type { Authority, KeySlot } from './slots.ts'
import { validityFrom } from './validity.ts'

export interface X509Ca extends Authority {
  /** DER. */
  readonly certificate: Uint8Array
}

export interface X509CaOptions {
  readonly trustDomain: TrustDomain
  readonly keyType: KeyType
  readonly subject: CaSubject
  readonly ttlSeconds: number
  readonly randomBytes: RandomBytes
}

export function x509CaKind(options: X509CaOptions): AuthorityKind<X509Ca> {
  const { trustDomain, keyType, subject, ttlSeconds, randomBytes } = options
  return {
    name: 'X.509',
    keyType,
    keyId: (slot) => `x509-CA-${slot}`,
    async make(key, keySlot, now) {
      const { issuedAt, notBefore, expiresAt } = validityFrom(now, ttlSeconds)
      const certificate = await createCaCertificate({
        key,
        trustDomain,
        subject,
        notBefore,
        notAfter: expiresAt,
        serial: randomSerial(randomBytes),
      })
      return readX509Ca(new Uint8Array(certificate), keySlot, issuedAt)
    },
    isKeyOf: (key, { certificate }) => spkiOf(key).equals(parseCertificate(certificate).spki),
    publish: (bundle, { certificate }) =>
      appendAuthorities(bundle, {
        x509Authorities: [{ der: certificate, tainted: false }],
        jwtAuthorities: [],
      }),
    isPublished: ({ x509Authorities }, { certificate }) =>
      x509Authorities.some(({ der }) => Buffer.from(certificate).equals(der)),
    taint: taintX509Authority,
    mustBeRevocable(slots, _bundle, id) {
      mustNotSign(slots, id)
      if (slots.old?.id === id) return
      throw new IdentityError(
        'REQUEST_INVALID',
        'invalid authority ID: only Old local authority can be revoked',
      )
    },
    revoke: revokeX509Authority,
  }
}

/** @throws IdentityError CERTIFICATE_MALFORMED */
export function readX509Ca(certificate: Uint8Array, keySlot: KeySlot, issuedAt: Date): X509Ca {
  const { notBefore, notAfter } = parseCertificate(certificate)
  const id = authorityIdOf(certificate)
  return { id, keySlot, issuedAt, notBefore, expiresAt: notAfter, certificate }
}
