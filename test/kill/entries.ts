/** Entries that are created, updated and deleted. An update changes every field, so that half of one would show. */
import type { BatchCreateEntryResponse } from '../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { BatchDeleteEntryResponse } from '../../proto/gen/spire/api/server/entry/v1/BatchDeleteEntryResponse.ts'
import type { BatchUpdateEntryResponse } from '../../proto/gen/spire/api/server/entry/v1/BatchUpdateEntryResponse.ts'
import type { ListEntriesResponse } from '../../proto/gen/spire/api/server/entry/v1/ListEntriesResponse.ts'
import type { Entry, EntryInput } from '../../proto/gen/spire/api/types/Entry.ts'
import { pick } from '../fakes/seeded.ts'
import { type Admin, ask, call, deadline, type Outcome } from './clients.ts'
import { createRecord, type Record } from './record.ts'
import { settle, type WriteStream } from './stream.ts'

const DOMAIN = 'example.org'
const TTL_SECONDS = 600
const KEYS_PER_WRITER = 6

export interface EntryStream extends WriteStream {
  readonly record: Record
  /** How many versions have been asked for: the last write was no deletion if its ID has this one. */
  versions(): number
}

/** The SPIFFE ID of an entry at one of its versions. */
export const pathOf = (id: string, version: number) => `/${id}/v${version}`

function entryAt(id: string, version: number, parent: string, isServed: boolean): EntryInput {
  const selectors = isServed
    ? [{ type: 'unix', value: `uid:${process.getuid?.()}` }]
    : [`a${version}`, `b${version}`, `c${version}`].map((value) => ({ type: 'test', value }))
  return {
    id,
    parent_id: { trust_domain: DOMAIN, path: parent },
    spiffe_id: { trust_domain: DOMAIN, path: pathOf(id, version) },
    selectors,
    x509_svid_ttl: TTL_SECONDS + (version % 100),
    dns_names: [`v${version}.one.example`, `v${version}.two.example`],
    // Of its own: one workload is served one SVID of each hint.
    hint: `${id} v${version}`,
  }
}

/** Every field that was written, as one text. */
function stateOf(entry: EntryInput | Entry): string {
  const { spiffe_id: id, parent_id: parent, selectors = [], x509_svid_ttl: ttl } = entry
  const values = selectors.map(({ type, value }) => `${type}:${value}`).sort()
  return [id?.path, parent?.path, values, ttl, entry.dns_names, entry.hint].join(' ')
}

interface PlainEntry {
  readonly parent?: string
  readonly selector?: { readonly type: string; readonly value: string }
}

/** One entry whose ID is its path too. */
export function createEntry(
  admin: Admin,
  id: string,
  { parent = '/parent', selector = { type: 'test', value: id } }: PlainEntry = {},
): Promise<Outcome<BatchCreateEntryResponse>> {
  const of = (path: string) => ({ trust_domain: DOMAIN, path })
  const entry = { id, parent_id: of(parent), spiffe_id: of(`/${id}`), selectors: [selector] }
  return ask<BatchCreateEntryResponse>((done) =>
    admin.entry.BatchCreateEntry({ entries: [entry] }, deadline(), done),
  )
}

export async function listEntries(admin: Admin): Promise<ListEntriesResponse['entries']> {
  const reply = await call<ListEntriesResponse>((done) =>
    admin.entry.ListEntries({}, deadline(), done),
  )
  return reply.entries
}

/** @param prefix of the IDs that are this stream's own */
export function entryStream(prefix: string, parent: string, isServed: boolean): EntryStream {
  const record = createRecord('entry')
  const keys = Array.from({ length: KEYS_PER_WRITER }, (_, at) => `${prefix}-${at}`)
  let version = 0
  return {
    record,
    versions: () => version,
    async step({ admin, random, fault }) {
      const id = pick(random, keys) ?? ''
      const before = record.sure(id)
      version += 1
      const entry = entryAt(id, version, parent, isServed)
      const refused = (why: string) => fault(`entry ${id} (${before ?? 'absent'}) refused: ${why}`)
      if (before === undefined) {
        const attempt = record.attempt(id, stateOf(entry))
        const create = ask<BatchCreateEntryResponse>((done) =>
          admin.entry.BatchCreateEntry({ entries: [entry] }, deadline(), done),
        )
        return settle(await create, attempt, refused)
      }
      if (random() < 0.5) {
        const attempt = record.attempt(id, stateOf(entry))
        const update = ask<BatchUpdateEntryResponse>((done) =>
          admin.entry.BatchUpdateEntry({ entries: [entry] }, deadline(), done),
        )
        return settle(await update, attempt, refused)
      }
      const attempt = record.attempt(id, undefined)
      const remove = ask<BatchDeleteEntryResponse>((done) =>
        admin.entry.BatchDeleteEntry({ ids: [id] }, deadline(), done),
      )
      return settle(await remove, attempt, refused)
    },
    async check({ admin }) {
      const entries = await listEntries(admin)
      const own = entries.filter(({ id }) => id.startsWith(`${prefix}-`))
      return record.judge(new Map(own.map((entry) => [entry.id, stateOf(entry)])))
    },
    counts: () => record,
  }
}
