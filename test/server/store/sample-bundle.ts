/** Bundles for tests. Their certificates are bytes only: the store never looks into them. */
import type { Bundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'

export const partner = parseTrustDomain('partner.org')
export const vendor = parseTrustDomain('vendor.org')

export function bundle(trustDomain = partner, fields: Partial<Bundle> = {}): Bundle {
  return {
    trustDomain,
    x509Authorities: [{ der: new Uint8Array([0x30, 0, 255]), tainted: true }],
    jwtAuthorities: [
      {
        keyId: 'key',
        publicKey: new Uint8Array([1, 2]),
        expiresAt: new Date('2031-01-01T00:00:00Z'),
        tainted: false,
      },
      { keyId: 'forever', publicKey: new Uint8Array([3]), expiresAt: undefined, tainted: true },
    ],
    refreshHintSeconds: 300,
    sequenceNumber: 7,
    ...fields,
  }
}
