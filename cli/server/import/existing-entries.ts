/** The entries that a server has, remembered by what an import must know of them: a few hundred bytes for each. */
import { createHash } from 'node:crypto'
import type { ListEntriesResponse } from '../../../proto/gen/spire/api/server/entry/v1/ListEntriesResponse.ts'
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import { entryApi } from '../../../proto/load.ts'
import { attempting, type Endpoint } from '../../rpc/endpoint.ts'
import { similarityOf } from '../entry/declaration.ts'
import { fieldsOf } from '../entry/entry-changes.ts'

const PAGE_SIZE = 500

export interface Known {
  readonly id: string
  /** Equal for entries that are equal in everything that people choose, but the ID. */
  readonly content: string
}

export interface KnownEntries {
  byId(id: string): Known | undefined
  /** One of the same SPIFFE ID, parent and set of selectors. */
  similarTo(entry: Entry): Known | undefined
  add(entry: Entry): void
}

/** @throws IdentityError */
export async function readExisting(server: Endpoint): Promise<KnownEntries> {
  const known = createKnownEntries()
  const client = server.client(entryApi())
  let page_token = ''
  do {
    const call = server.call<ListEntriesResponse>((options, done) =>
      client.ListEntries({ page_size: PAGE_SIZE, page_token }, options, done),
    )
    const page = await attempting('error fetching entries', call)
    for (const entry of page.entries) known.add(entry)
    page_token = page.next_page_token
  } while (page_token !== '')
  return known
}

export function createKnownEntries(): KnownEntries {
  const ids = new Map<string, Known>()
  const similar = new Map<string, Known>()
  return {
    byId: (id) => ids.get(id),
    similarTo: (entry) => similar.get(digest(similarityOf(entry))),
    add(entry) {
      const one = { id: entry.id, content: contentOf(entry) }
      if (entry.id !== '') ids.set(entry.id, one)
      similar.set(digest(similarityOf(entry)), one)
    },
  }
}

export function contentOf(entry: Entry): string {
  return digest(JSON.stringify([...fieldsOf(entry)]))
}

const digest = (text: string) => createHash('sha256').update(text).digest('base64')
