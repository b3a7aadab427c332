/** An entry as a table row, there and back. Rows are only written from checked entries, so reading trusts them. */
import { createHash } from 'node:crypto'
import { fromUnixSeconds, unixSeconds } from '../../../spiffe/clock.ts'
import type { SpiffeId, TrustDomain } from '../../../spiffe/id.ts'
import type { Selector } from '../../../spiffe/selector.ts'
import type { Entry, EntryFields } from '../../entries/entry.ts'
import type { EntryRow, SqlValue } from './tables.ts'

export type StoredEntry = EntryRow

type DecodableEntry = Omit<StoredEntry, 'similarity'>

/** Columns an operator's fields go to, in the order of `fieldValues`. */
export const FIELD_COLUMNS = [
  'spiffe_id',
  'parent_id',
  'selectors',
  'similarity',
  'x509_svid_ttl_seconds',
  'jwt_svid_ttl_seconds',
  'federates_with',
  'admin',
  'downstream',
  'expires_at',
  'dns_names',
  'store_svid',
  'hint',
  'disable_x509_svid_prefetch',
  'jwt_svid_include_jti',
] as const satisfies readonly (keyof EntryRow)[]

/** The columns a reader needs: all but the ones only queries use. */
export const ENTRY_COLUMNS = [
  'row',
  'id',
  'created_at',
  'revision_number',
  ...FIELD_COLUMNS.filter((column) => column !== 'similarity'),
] as const

export function fieldValues(fields: EntryFields): readonly SqlValue[] {
  return [
    fields.spiffeId,
    fields.parentId,
    JSON.stringify(fields.selectors),
    similarityOf(fields),
    fields.x509SvidTtlSeconds,
    fields.jwtSvidTtlSeconds,
    JSON.stringify(fields.federatesWith),
    Number(fields.admin),
    Number(fields.downstream),
    fields.expiresAt === undefined ? null : unixSeconds(fields.expiresAt),
    JSON.stringify(fields.dnsNames),
    Number(fields.storeSvid),
    fields.hint,
    Number(fields.disableX509SvidPrefetch),
    Number(fields.jwtSvidIncludeJti),
  ]
}

/** Equal exactly for entries of the same SPIFFE ID, parent and set of selectors. */
export function similarityOf({ spiffeId, parentId, selectors }: EntryFields): string {
  const parts = [spiffeId, parentId, ...[...new Set(selectors)].sort()]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

export function decodeEntry(row: DecodableEntry): Entry {
  return decode(row, undefined)
}

/** As `decodeEntry`, of rows that follow each other: what an entry has in common with the one before is held once for both. */
export function decodeInTurn(): (row: DecodableEntry) => Entry {
  let before: Entry | undefined
  return (row) => {
    before = decode(row, before)
    return before
  }
}

function decode(row: DecodableEntry, before: Entry | undefined): Entry {
  return {
    id: row.id,
    // The casts below repeat what the values were when `fieldValues` wrote them.
    spiffeId: row.spiffe_id as SpiffeId,
    parentId: before?.parentId === row.parent_id ? before.parentId : (row.parent_id as SpiffeId),
    selectors: JSON.parse(row.selectors) as Selector[],
    x509SvidTtlSeconds: row.x509_svid_ttl_seconds,
    jwtSvidTtlSeconds: row.jwt_svid_ttl_seconds,
    federatesWith: decodeList(row.federates_with) as readonly TrustDomain[],
    admin: row.admin !== 0,
    downstream: row.downstream !== 0,
    expiresAt: row.expires_at === null ? undefined : fromUnixSeconds(row.expires_at),
    dnsNames: decodeList(row.dns_names),
    storeSvid: row.store_svid !== 0,
    hint: row.hint,
    disableX509SvidPrefetch: row.disable_x509_svid_prefetch !== 0,
    jwtSvidIncludeJti: row.jwt_svid_include_jti !== 0,
    revisionNumber: row.revision_number,
    createdAt:
      before !== undefined && unixSeconds(before.createdAt) === row.created_at
        ? before.createdAt
        : fromUnixSeconds(row.created_at),
  }
}

/** Most entries have empty lists: a hundred thousand of them share one. */
const NONE: readonly string[] = []

function decodeList(json: string): readonly string[] {
  return json === '[]' ? NONE : (JSON.parse(json) as string[])
}
