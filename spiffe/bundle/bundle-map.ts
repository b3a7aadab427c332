/**
 * Several bundles in one document, keyed by trust domain. They stay apart: nothing is merged.
 *
 * @see SPIFFE-Trust-Domain-and-Bundle §4.3 — bundle map
 */
import type { Bundle } from '../bundle.ts'
import { IdentityError } from '../error.ts'
import { parseTrustDomain, type TrustDomain } from '../id.ts'
import { bundleOf, parseObject } from './jwks.ts'
import { isJsonObject } from './strict-json.ts'

/** As many trust domains as one may federate with. */
const MAX_TRUST_DOMAINS = 1000

/** Refresh hints of the single bundles are ignored. @throws IdentityError BUNDLE_MALFORMED or TRUST_DOMAIN_INVALID */
export function parseBundleMap(text: string): ReadonlyMap<TrustDomain, Bundle> {
  const { trust_domains: documents } = parseObject(text)
  if (!isJsonObject(documents)) {
    throw new IdentityError(
      'BUNDLE_MALFORMED',
      'malformed bundle map: it has no object "trust_domains"',
    )
  }
  const entries = Object.entries(documents)
  if (entries.length > MAX_TRUST_DOMAINS) {
    throw new IdentityError(
      'BUNDLE_MALFORMED',
      `malformed bundle map: it has more than ${MAX_TRUST_DOMAINS} trust domains`,
    )
  }
  return new Map(
    entries.map(([name, document]) => {
      if (name.includes('/') || !isJsonObject(document)) {
        throw new IdentityError(
          'BUNDLE_MALFORMED',
          `malformed bundle map: ${JSON.stringify(name)} is not a trust domain name with a bundle`,
        )
      }
      const trustDomain = parseTrustDomain(name)
      return [trustDomain, { ...bundleOf(document, trustDomain), refreshHintSeconds: 0 }]
    }),
  )
}
