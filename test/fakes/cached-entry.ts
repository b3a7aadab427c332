/** Entries and SVIDs of the agent's cache, good enough where nobody verifies them. */
import type { CachedEntry } from '../../agent/cache/entry.ts'
import type { X509Svid } from '../../agent/cache/x509-svid.ts'
import { parseSpiffeId } from '../../spiffe/id.ts'
import { parseSelector } from '../../spiffe/selector.ts'

export function cachedEntry(entryId: string, change: Partial<CachedEntry> = {}): CachedEntry {
  return {
    entryId,
    id: parseSpiffeId(`spiffe://example.org/${entryId}`),
    hint: '',
    createdAt: 1,
    federatesWith: [],
    selectors: [parseSelector('unix:uid:0')],
    revision: 0,
    storeSvid: false,
    prefetch: true,
    jti: false,
    privileged: false,
    ...change,
  }
}

/** Lives for an hour from `obtainedAt`. */
export function cachedSvid(
  { entryId, id, revision }: CachedEntry,
  obtainedAt: Date,
  change: Partial<X509Svid> = {},
): X509Svid {
  return {
    entryId,
    id,
    revision,
    chain: [Buffer.from(`leaf of ${entryId}`)],
    key: Buffer.from(`key of ${entryId}`),
    expiresAt: new Date(obtainedAt.getTime() + 3600_000),
    renewAt: new Date(obtainedAt.getTime() + 1800_000),
    obtainedAt,
    authorityKeyIds: ['aa'],
    ...change,
  }
}
