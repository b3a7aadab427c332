/** `spire.api.server.entry.v1.Entry`, put together. */
import type { EntryHandlers } from '../../../proto/gen/spire/api/server/entry/v1/Entry.ts'
import type { Implementation } from '../../../proto/serve.ts'
import type { EntryIndex } from '../../entries/entry-index.ts'
import type { Caller } from '../../listen/caller.ts'
import { agentIdOf } from '../agent-caller.ts'
import { type ReadEntriesDeps, readEntries } from './read-entries.ts'
import { syncAuthorizedEntries } from './sync-authorized-entries.ts'
import { toWireEntry } from './wire-entry.ts'
import { type WriteEntriesDeps, writeEntries } from './write-entries.ts'

export interface EntryServiceDeps {
  readonly trustDomain: ReadEntriesDeps['trustDomain']
  readonly entries: ReadEntriesDeps['entries'] & WriteEntriesDeps['entries']
  readonly index: Pick<EntryIndex, 'authorizedFor'>
}

export function entryService(deps: EntryServiceDeps): Implementation<Caller, EntryHandlers> {
  const { index } = deps
  return {
    ...readEntries(deps),
    ...writeEntries(deps),

    GetAuthorizedEntries: async ({ output_mask }, { caller }) => ({
      entries: index
        .authorizedFor(agentIdOf(caller))
        .map((entry) => toWireEntry(entry, output_mask)),
    }),

    SyncAuthorizedEntries: (requests, { caller }, send) =>
      syncAuthorizedEntries(index.authorizedFor(agentIdOf(caller)), requests, send),
  }
}
