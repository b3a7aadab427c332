/** Entries for tests that care about some of their fields only. */

import { type Entry, joinTokenAlias } from '../../server/entries/entry.ts'
import { parseSpiffeId, type SpiffeId } from '../../spiffe/id.ts'
import { parseSelector } from '../../spiffe/selector.ts'

export const id = (path: string): SpiffeId => parseSpiffeId(`spiffe://example.org${path}`)

export function anEntry(fields: Partial<Entry> & { readonly id: string }): Entry {
  return {
    ...joinTokenAlias(id('/node'), id(`/${fields.id}`)),
    selectors: [parseSelector('unix:uid:1000')],
    revisionNumber: 0,
    createdAt: new Date(0),
    ...fields,
  }
}
