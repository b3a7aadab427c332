/** A bundle as the JSON kept in its row, there and back. Bytes are base64, times whole unix seconds. */
import type { Bundle } from '../../../spiffe/bundle.ts'
import { fromUnixSeconds, unixSeconds } from '../../../spiffe/clock.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import type { BundleRow } from './tables.ts'

interface BundleDocument {
  readonly x509: readonly { readonly der: string; readonly tainted: boolean }[]
  readonly jwt: readonly {
    readonly keyId: string
    readonly publicKey: string
    readonly expiresAt: number | null
    readonly tainted: boolean
  }[]
  readonly refreshHintSeconds: number
  readonly sequenceNumber: number
}

export function encodeBundle(bundle: Bundle): string {
  const document: BundleDocument = {
    x509: bundle.x509Authorities.map(({ der, tainted }) => ({
      der: Buffer.from(der).toString('base64'),
      tainted,
    })),
    jwt: bundle.jwtAuthorities.map(({ keyId, publicKey, expiresAt, tainted }) => ({
      keyId,
      publicKey: Buffer.from(publicKey).toString('base64'),
      expiresAt: expiresAt === undefined ? null : unixSeconds(expiresAt),
      tainted,
    })),
    refreshHintSeconds: bundle.refreshHintSeconds,
    sequenceNumber: bundle.sequenceNumber,
  }
  return JSON.stringify(document)
}

export function decodeBundle(row: BundleRow): Bundle {
  const document = JSON.parse(row.document) as BundleDocument // written by `encodeBundle` only
  return {
    trustDomain: row.trust_domain as TrustDomain, // as it was when it was written
    x509Authorities: document.x509.map(({ der, tainted }) => ({
      der: new Uint8Array(Buffer.from(der, 'base64')),
      tainted,
    })),
    jwtAuthorities: document.jwt.map(({ keyId, publicKey, expiresAt, tainted }) => ({
      keyId,
      publicKey: new Uint8Array(Buffer.from(publicKey, 'base64')),
      expiresAt: expiresAt === null ? undefined : fromUnixSeconds(expiresAt),
      tainted,
    })),
    refreshHintSeconds: document.refreshHintSeconds,
    sequenceNumber: document.sequenceNumber,
  }
}
