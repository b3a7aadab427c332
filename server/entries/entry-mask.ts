/**
 * Which fields of an entry a request is about. An update writes those and leaves the others.
 *
 * @see SPIRE API §6 — `EntryMask`
 */
import { checkEntryFields } from './check-entry.ts'
import type { Entry, EntryChange, EntryFields } from './entry.ts'

export type EntryMask = ReadonlySet<keyof EntryFields>

export const ALL_FIELDS: EntryMask = new Set<keyof EntryFields>([
  'spiffeId',
  'parentId',
  'selectors',
  'x509SvidTtlSeconds',
  'jwtSvidTtlSeconds',
  'federatesWith',
  'admin',
  'downstream',
  'expiresAt',
  'dnsNames',
  'storeSvid',
  'hint',
  'disableX509SvidPrefetch',
  'jwtSvidIncludeJti',
])

/** The function to hand to the store's `update`. @throws IdentityError ENTRY_INVALID when the result breaks a rule */
export function applyChange(current: Entry, change: EntryChange): Entry {
  const next = { ...current, ...change }
  checkEntryFields(next)
  return next
}
