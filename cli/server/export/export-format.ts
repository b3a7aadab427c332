/**
 * The form of an export: the JSON that `entry create -data` and `federation create -data` take, with one entry or
 * relationship on each line, so that files can be compared and read line by line.
 */
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import type { FederationRelationship } from '../../../proto/gen/spire/api/types/FederationRelationship.ts'
import { formatBundleDocument } from '../../../spiffe/bundle/jwks.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { type FieldValue, fieldsOf, isEmpty } from '../entry/entry-changes.ts'

export const SECTIONS = ['federationRelationships', 'entries'] as const
export type Section = (typeof SECTIONS)[number]

/** The line before the first item of a section. */
export const sectionLine = (section: Section, isFirst: boolean) =>
  `${isFirst ? '{' : '],\n'}"${section}": [\n`
export const LAST_LINE = ']}\n'

/** @param withId false: servers and `entry apply` choose another */
export function entryItem(entry: Entry, withId: boolean): string {
  const item: Record<string, FieldValue | object> = withId ? { entry_id: entry.id } : {}
  const attributes: Record<string, FieldValue> = {}
  for (const [field, value] of fieldsOf(entry)) {
    const [first, second] = field.split('.')
    if (field === 'selectors')
      item.selectors = entry.selectors.map(({ type, value: of }) => ({ type, value: of }))
    else if (isEmpty(value)) continue
    else if (second === undefined) item[first ?? field] = value
    else attributes[second] = value
  }
  if (Object.keys(attributes).length > 0) item.additional_attributes = attributes
  return JSON.stringify(item)
}

/** @param bundle undefined: the server has none of that trust domain */
export function relationshipItem(
  relationship: FederationRelationship,
  bundle: Bundle | undefined,
): string {
  const { trust_domain: trustDomain, bundle_endpoint_url: url } = relationship
  const { bundle_endpoint_profile: profile, https_spiffe: spiffe } = relationship
  return JSON.stringify({
    trustDomain,
    bundleEndpointURL: url,
    bundleEndpointProfile: profile,
    ...(spiffe === undefined || spiffe === null
      ? {}
      : { endpointSPIFFEID: spiffe.endpoint_spiffe_id }),
    ...(bundle === undefined
      ? {}
      : {
          trustDomainBundle: JSON.parse(formatBundleDocument(bundle)),
          trustDomainBundleFormat: 'spiffe',
        }),
  })
}
