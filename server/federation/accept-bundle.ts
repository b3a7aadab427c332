/**
 * Decides whether a bundle that an endpoint served may replace the one that is kept. Refuses what would let another
 * trust domain's authorities in, what would cut everybody off, and what has been replaced already; on any doubt the
 * last good bundle stays.
 *
 * @see Federation §4 — bundles are never merged, and the newest one counts
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { parseSpiffeId, trustDomainOf } from '../../spiffe/id.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'

export type Acceptance =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'changed'; readonly bundle: Bundle }

/**
 * @param fetched named by us, since the document itself says nothing of whose it is
 * @param kept undefined when there is none yet
 * @throws IdentityError BUNDLE_MALFORMED or PRECONDITION_FAILED with the reason
 */
export function acceptBundle(fetched: Bundle, kept: Bundle | undefined): Acceptance {
  if (fetched.x509Authorities.length + fetched.jwtAuthorities.length === 0) {
    throw new IdentityError(
      'BUNDLE_MALFORMED',
      'the document has no authority at all; it would cut off every workload of the trust domain',
    )
  }
  for (const { der } of fetched.x509Authorities) refuseOtherDomain(der, fetched)
  if (kept === undefined) return { kind: 'changed', bundle: fetched }
  if (isOlder(fetched, kept)) {
    throw new IdentityError(
      'PRECONDITION_FAILED',
      `the document has sequence number ${fetched.sequenceNumber}, and number ${kept.sequenceNumber} is known already: an old bundle was served again; if the trust domain was set up anew, delete its bundle and set the new one`,
    )
  }
  return isSame(fetched, kept) ? { kind: 'unchanged' } : { kind: 'changed', bundle: fetched }
}

/** An authority that names a trust domain belongs to it. One that names none may be an upstream root. */
function refuseOtherDomain(der: Uint8Array, { trustDomain }: Bundle): void {
  for (const uri of parseCertificate(der).uriSans) {
    if (!/^spiffe:/i.test(uri) || trustDomainOf(parseSpiffeId(uri)) === trustDomain) continue
    throw new IdentityError(
      'BUNDLE_MALFORMED',
      `an authority in the document is that of ${JSON.stringify(uri)}, expected spiffe://${trustDomain}: the endpoint serves the bundle of another trust domain`,
    )
  }
}

/** Without a number on both sides the most recent answer counts. */
function isOlder(fetched: Bundle, kept: Bundle): boolean {
  const { sequenceNumber } = fetched
  return sequenceNumber > 0 && kept.sequenceNumber > 0 && sequenceNumber < kept.sequenceNumber
}

function isSame(one: Bundle, other: Bundle): boolean {
  return contentOf(one) === contentOf(other)
}

/** Order and taint are not part of the document's meaning: it cannot say either. */
function contentOf(bundle: Bundle): string {
  const { x509Authorities, jwtAuthorities, refreshHintSeconds, sequenceNumber } = bundle
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  return JSON.stringify({
    x509: x509Authorities.map(({ der }) => base64(der)).sort(),
    jwt: jwtAuthorities.map(({ keyId, publicKey }) => [keyId, base64(publicKey)]).sort(),
    refreshHintSeconds,
    sequenceNumber,
  })
}
