/**
 * One answer of FetchX509SVID, read and checked: SVIDs whose keys fit, and the bundle of each trust domain by itself.
 * An answer with anything broken in it is refused as a whole.
 *
 * @see Workload-API §5.2.1, §4.5 — mandatory fields
 */
import type { X509SVID } from '../proto/gen/X509SVID.ts'
import type { X509SVIDResponse } from '../proto/gen/X509SVIDResponse.ts'
import { type Bundle, emptyBundle } from '../spiffe/bundle.ts'
import { IdentityError } from '../spiffe/error.ts'
import { parseTrustDomain, type TrustDomain, trustDomainOf } from '../spiffe/id.ts'
import { parseCertificates } from '../spiffe/x509/certificate.ts'
import { parseX509Svid, type X509Svid } from '../spiffe/x509/x509-svid.ts'

/** An SVID with the operator's word on what it is for; empty when there is none. */
export interface HintedX509Svid extends X509Svid {
  readonly hint: string
}

export interface X509Context {
  /** The first of `svids`, unless the program picked another. */
  readonly defaultSvid: HintedX509Svid
  readonly svids: readonly HintedX509Svid[]
  /** Never merged: each vouches for its own trust domain alone. */
  readonly bundles: ReadonlyMap<TrustDomain, Bundle>
}

export type PickSvid = (svids: readonly HintedX509Svid[]) => HintedX509Svid | undefined

/** @throws IdentityError BUNDLE_MALFORMED, CERTIFICATE_MALFORMED, CERTIFICATE_UNTRUSTED, NOT_FOUND when none is picked */
export function readX509Response(response: X509SVIDResponse, pick: PickSvid): X509Context {
  const svids: HintedX509Svid[] = []
  const bundles = new Map<TrustDomain, Bundle>()
  const hints = new Set<string>()
  for (const wire of response.svids) {
    const svid = readSvid(wire)
    const trustDomain = trustDomainOf(svid.id)
    if (!bundles.has(trustDomain)) bundles.set(trustDomain, readBundle(trustDomain, wire.bundle))
    if (svid.hint !== '' && hints.has(svid.hint)) continue // §5.2.1: the first of them is meant
    hints.add(svid.hint)
    svids.push(svid)
  }
  if (svids.length === 0) {
    throw new IdentityError('CERTIFICATE_MALFORMED', 'the agent answered without any X509-SVID')
  }
  for (const [id, der] of Object.entries(response.federated_bundles)) {
    const trustDomain = parseTrustDomain(id)
    if (!bundles.has(trustDomain)) bundles.set(trustDomain, readBundle(trustDomain, der))
  }
  const defaultSvid = pick(svids)
  if (defaultSvid === undefined) {
    const ids = svids.map(({ id, hint }) => (hint === '' ? id : `${id} (${hint})`)).join(', ')
    throw new IdentityError('NOT_FOUND', `none of the X509-SVIDs was picked: ${ids}`)
  }
  return { defaultSvid, svids, bundles }
}

function readSvid({ spiffe_id, x509_svid, x509_svid_key, hint }: X509SVID): HintedX509Svid {
  const svid = parseX509Svid(x509_svid, x509_svid_key)
  if (svid.id !== spiffe_id) {
    throw new IdentityError(
      'CERTIFICATE_MALFORMED',
      `the agent calls an X509-SVID ${JSON.stringify(spiffe_id)}, its certificate says ${svid.id}`,
    )
  }
  return { ...svid, hint }
}

/** An empty foreign bundle means that nothing of that trust domain is to be believed. */
function readBundle(trustDomain: TrustDomain, der: Uint8Array): Bundle {
  const x509Authorities = parseCertificates(der).map((one) => ({ der: one.der, tainted: false }))
  return { ...emptyBundle(trustDomain), x509Authorities }
}
