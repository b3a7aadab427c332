/** Entries for tests: a plain one, with the fields a test is about replaced. */
import type { Entry, NewEntry } from '../../../server/entries/entry.ts'
import type { EntryDraft } from '../../../server/entries/parse-entry.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../spiffe/id.ts'
import { parseSelector } from '../../../spiffe/selector.ts'

export const exampleOrg = parseTrustDomain('example.org')

/** The ID of that path in `example.org`. */
export const idOf = (path: string) => parseSpiffeId(`spiffe://example.org${path}`)

export const selectorsOf = (...texts: readonly string[]) => texts.map(parseSelector)

export function newEntry(fields: Partial<NewEntry> = {}): NewEntry {
  return {
    id: undefined,
    spiffeId: idOf('/web'),
    parentId: idOf('/spire/agent/join_token/one'),
    selectors: selectorsOf('unix:uid:1000'),
    x509SvidTtlSeconds: 0,
    jwtSvidTtlSeconds: 0,
    federatesWith: [],
    admin: false,
    downstream: false,
    expiresAt: undefined,
    dnsNames: [],
    storeSvid: false,
    hint: '',
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: false,
    ...fields,
  }
}

export function entry(id: string, fields: Partial<Entry> = {}): Entry {
  return { ...newEntry(), revisionNumber: 0, createdAt: new Date(1_800_000_000_000), ...fields, id }
}

export function draft(fields: Partial<EntryDraft> = {}): EntryDraft {
  return {
    id: '',
    spiffeId: { trustDomain: 'example.org', path: '/web' },
    parentId: { trustDomain: 'example.org', path: '/spire/agent/join_token/one' },
    selectors: [{ type: 'unix', value: 'uid:1000' }],
    x509SvidTtlSeconds: 0,
    jwtSvidTtlSeconds: 0,
    federatesWith: [],
    admin: false,
    downstream: false,
    expiresAt: 0,
    dnsNames: [],
    storeSvid: false,
    hint: '',
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: false,
    ...fields,
  }
}
