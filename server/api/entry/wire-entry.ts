/** Entries as the wire has them, and back. */
import type { EntryInput, Entry as WireEntry } from '../../../proto/gen/spire/api/types/Entry.ts'
import type { EntryMask as WireMask } from '../../../proto/gen/spire/api/types/EntryMask.ts'
import { toWireId, toWireSelector } from '../../../proto/wire.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import { sortSelectors } from '../../../spiffe/selector.ts'
import type { Entry, EntryFields } from '../../entries/entry.ts'
import { ALL_FIELDS, type EntryMask } from '../../entries/entry-mask.ts'
import type { EntryDraft } from '../../entries/parse-entry.ts'
import { idPartsOf } from '../wire-match.ts'

/** @param mask the fields to fill in; null for all. The ID is always there. Lists are in the order in which they were given. */
export function toWireEntry(entry: Entry, mask: WireMask | null): EntryInput {
  const wire: EntryInput = { id: entry.id }
  if (mask === null || mask.spiffe_id) wire.spiffe_id = toWireId(entry.spiffeId)
  if (mask === null || mask.parent_id) wire.parent_id = toWireId(entry.parentId)
  if (mask === null || mask.selectors) wire.selectors = entry.selectors.map(toWireSelector)
  if (mask === null || mask.x509_svid_ttl) wire.x509_svid_ttl = entry.x509SvidTtlSeconds
  if (mask === null || mask.jwt_svid_ttl) wire.jwt_svid_ttl = entry.jwtSvidTtlSeconds
  if (mask === null || mask.federates_with) wire.federates_with = [...entry.federatesWith]
  if (mask === null || mask.admin) wire.admin = entry.admin
  if (mask === null || mask.downstream) wire.downstream = entry.downstream
  if ((mask === null || mask.expires_at) && entry.expiresAt !== undefined) {
    wire.expires_at = unixSeconds(entry.expiresAt)
  }
  if (mask === null || mask.dns_names) wire.dns_names = [...entry.dnsNames]
  if (mask === null || mask.revision_number) wire.revision_number = entry.revisionNumber
  if (mask === null || mask.store_svid) wire.store_svid = entry.storeSvid
  if (mask === null || mask.hint) wire.hint = entry.hint
  if (mask === null || mask.created_at) wire.created_at = unixSeconds(entry.createdAt)
  const { disableX509SvidPrefetch, jwtSvidIncludeJti } = entry
  const hasAttributes = disableX509SvidPrefetch || jwtSvidIncludeJti
  if ((mask === null || mask.additional_attributes) && hasAttributes) {
    wire.additional_attributes = {
      disable_x509_svid_prefetch: disableX509SvidPrefetch,
      jwt_svid_include_jti: jwtSvidIncludeJti,
    }
  }
  return wire
}

/** What a write answers: the lists come sorted, as SPIRE's do there and nowhere else. What is kept has its own order. */
export function toWrittenEntry(entry: Entry, mask: WireMask | null): EntryInput {
  const { selectors, dnsNames } = entry
  const sorted = { selectors: sortSelectors(selectors), dnsNames: dnsNames.toSorted() }
  return toWireEntry({ ...entry, ...sorted }, mask)
}

/** Revision and creation time are the server's business: what a request says of them is not read. */
export function fromWireEntry(wire: WireEntry): EntryDraft {
  return {
    id: wire.id,
    spiffeId: idPartsOf(wire.spiffe_id),
    parentId: idPartsOf(wire.parent_id),
    selectors: wire.selectors,
    x509SvidTtlSeconds: wire.x509_svid_ttl,
    jwtSvidTtlSeconds: wire.jwt_svid_ttl,
    federatesWith: wire.federates_with,
    admin: wire.admin,
    downstream: wire.downstream,
    expiresAt: wire.expires_at,
    dnsNames: wire.dns_names,
    storeSvid: wire.store_svid,
    hint: wire.hint,
    disableX509SvidPrefetch: wire.additional_attributes?.disable_x509_svid_prefetch ?? false,
    jwtSvidIncludeJti: wire.additional_attributes?.jwt_svid_include_jti ?? false,
  }
}

const FIELDS_OF: Partial<Record<keyof WireMask, readonly (keyof EntryFields)[]>> = {
  spiffe_id: ['spiffeId'],
  parent_id: ['parentId'],
  selectors: ['selectors'],
  x509_svid_ttl: ['x509SvidTtlSeconds'],
  jwt_svid_ttl: ['jwtSvidTtlSeconds'],
  federates_with: ['federatesWith'],
  admin: ['admin'],
  downstream: ['downstream'],
  expires_at: ['expiresAt'],
  dns_names: ['dnsNames'],
  store_svid: ['storeSvid'],
  hint: ['hint'],
  additional_attributes: ['disableX509SvidPrefetch', 'jwtSvidIncludeJti'],
}

/** @param mask the fields to write; null for all */
export function fromWireMask(mask: WireMask | null): EntryMask {
  if (mask === null) return ALL_FIELDS
  return new Set(
    Object.entries(FIELDS_OF)
      // Cast: the keys are those of the record above.
      .filter(([name]) => mask[name as keyof WireMask])
      .flatMap(([, fields]) => fields),
  )
}
