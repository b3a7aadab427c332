/** The entries that a server has, remembered by what an import must know of them: a few hundred bytes for each. */
import { createHash } from 'node:crypto'
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import type { Endpoint } from '../../rpc/endpoint.ts'
import { similarityOf } from '../entry/declaration.ts'
import { fieldsOf } from '../entry/entry-changes.ts'
import { entryPages } from '../entry/list-entries.ts'

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
  for await (const entries of entryPages(server)) {
    for (const entry of entries) known.add(entry)
  }
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
