/** CountEntries, ListEntries and GetEntry. */
import type { EntryHandlers } from '../../../proto/gen/spire/api/server/entry/v1/Entry.ts'
import type { Implementation } from '../../../proto/serve.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import type { Entry } from '../../entries/entry.ts'
import type { Caller } from '../../listen/caller.ts'
import { eachPage } from '../../store/page.ts'
import type { EntryStore } from '../../store/store.ts'
import { invalid, notFound, withinAsync } from '../refusal.ts'
import { toWireEntry } from './wire-entry.ts'
import { fromWireEntryFilter } from './wire-entry-filter.ts'

/** Operators look at lists; what decides anything is read elsewhere. */
const READ = { mayLag: true } as const

export interface ReadEntriesDeps {
  readonly trustDomain: TrustDomain
  readonly entries: Pick<EntryStore, 'count' | 'list' | 'find'>
}

export function readEntries({
  trustDomain,
  entries,
}: ReadEntriesDeps): Pick<
  Required<Implementation<Caller, EntryHandlers>>,
  'CountEntries' | 'ListEntries' | 'GetEntry'
> {
  return {
    async CountEntries({ filter }) {
      const wanted = fromWireEntryFilter(filter, trustDomain)
      return {
        count: await withinAsync('failed to count entries', () => entries.count(wanted, READ)),
      }
    },

    async ListEntries({ filter, output_mask, page_size, page_token }) {
      const wanted = fromWireEntryFilter(filter, trustDomain)
      return await withinAsync('failed to list entries', async () => {
        if (page_size > 0) {
          const page = await entries.list(wanted, { ...READ, size: page_size, token: page_token })
          return {
            entries: page.items.map((entry) => toWireEntry(entry, output_mask)),
            next_page_token: page.nextToken,
          }
        }
        const all: Entry[] = []
        for await (const page of eachPage((request) =>
          entries.list(wanted, { ...READ, ...request }),
        )) {
          all.push(...page)
        }
        return { entries: all.map((entry) => toWireEntry(entry, output_mask)) }
      })
    },

    async GetEntry({ id, output_mask }) {
      if (id === '') throw invalid('missing ID')
      const entry = await entries.find(id)
      if (entry === undefined) throw notFound('entry not found')
      return toWireEntry(entry, output_mask)
    },
  }
}
