/**
 * SyncAuthorizedEntries: all entries at once when they fit one page; otherwise their revisions in pages, and then
 * those the agent asks for. The set is that of the first moment; an ID that is not in it is left out.
 *
 * @see SPIRE behaviour §3 — sync algorithm
 */
import type { SyncAuthorizedEntriesRequest } from '../../../proto/gen/spire/api/server/entry/v1/SyncAuthorizedEntriesRequest.ts'
import type { SyncAuthorizedEntriesResponseInput } from '../../../proto/gen/spire/api/server/entry/v1/SyncAuthorizedEntriesResponse.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import type { Entry } from '../../entries/entry.ts'
import { invalid } from '../refusal.ts'
import { toWireEntry } from './wire-entry.ts'

const ENTRY_PAGE_ITEMS = 500

/**
 * @param entries everything the calling agent is authorized for: never an empty list out of ignorance, because
 *   the agent drops what is not in it
 */
export async function syncAuthorizedEntries(
  entries: readonly Entry[],
  requests: AsyncIterable<SyncAuthorizedEntriesRequest>,
  send: (message: SyncAuthorizedEntriesResponseInput) => Promise<void>,
  pageItems: number = ENTRY_PAGE_ITEMS,
): Promise<void> {
  const incoming = requests[Symbol.asyncIterator]()
  const first = await incoming.next()
  if (first.done) return
  const { ids, output_mask: mask } = first.value
  if (ids.length > 0) throw invalid('specifying IDs on initial request is not supported')
  if (mask !== null && !mask.revision_number) throw invalid('revision number cannot be masked')

  if (entries.length <= pageItems) {
    await send({ entries: entries.map((entry) => toWireEntry(entry, mask)) })
    return
  }
  for (const { page, more } of pagesOf(entries, pageItems)) {
    await send({ entry_revisions: page.map(revisionOf), more })
  }
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  for (let next = await incoming.next(); !next.done; next = await incoming.next()) {
    const wanted = next.value.ids.flatMap((id) => byId.get(id) ?? [])
    for (const { page, more } of pagesOf(wanted, pageItems)) {
      await send({ entries: page.map((entry) => toWireEntry(entry, mask)), more })
    }
  }
}

/** At least one page, so that a request for nothing known is answered too. */
function pagesOf<T>(
  items: readonly T[],
  pageItems: number,
): readonly { readonly page: readonly T[]; readonly more: boolean }[] {
  const count = Math.max(1, Math.ceil(items.length / pageItems))
  return Array.from({ length: count }, (_, at) => ({
    page: items.slice(at * pageItems, (at + 1) * pageItems),
    more: at < count - 1,
  }))
}

function revisionOf({ id, revisionNumber, createdAt }: Entry) {
  return { id, revision_number: revisionNumber, created_at: unixSeconds(createdAt) }
}
