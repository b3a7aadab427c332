/** The order in which entries are shown: by SPIFFE ID, parent, lifetimes, then selectors, which are sorted, too. */
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import type { Selector } from '../../../proto/gen/spire/api/types/Selector.ts'
import type { SPIFFEID } from '../../../proto/gen/spire/api/types/SPIFFEID.ts'

export function sortEntries(entries: readonly Entry[]): readonly Entry[] {
  const sorted = entries.map((entry) => ({
    ...entry,
    selectors: entry.selectors.toSorted(compareOne),
  }))
  return sorted.sort(compareEntries)
}

function compareEntries(a: Entry, b: Entry): number {
  return (
    compareIds(a.spiffe_id, b.spiffe_id) ||
    compareIds(a.parent_id, b.parent_id) ||
    a.x509_svid_ttl - b.x509_svid_ttl ||
    a.jwt_svid_ttl - b.jwt_svid_ttl ||
    compareSelectors(a.selectors, b.selectors)
  )
}

function compareIds(a: SPIFFEID | null, b: SPIFFEID | null): number {
  return (
    compareTexts(a?.trust_domain ?? '', b?.trust_domain ?? '') ||
    compareTexts(a?.path ?? '', b?.path ?? '')
  )
}

/** Fewer come first. */
function compareSelectors(a: readonly Selector[], b: readonly Selector[]): number {
  if (a.length !== b.length) return a.length - b.length
  for (const [index, one] of a.entries()) {
    const other = b[index]
    if (other === undefined) break
    const order = compareOne(one, other)
    if (order !== 0) return order
  }
  return 0
}

function compareOne(a: Selector, b: Selector): number {
  return compareTexts(a.type, b.type) || compareTexts(a.value, b.value)
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
