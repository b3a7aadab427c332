/** What an import does with each entry, and how it is done: a second time there is nothing to do. */
import type { BatchCreateEntryResponse } from '../../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { BatchUpdateEntryResponse } from '../../../proto/gen/spire/api/server/entry/v1/BatchUpdateEntryResponse.ts'
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import { entryApi } from '../../../proto/load.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { attempting, type Endpoint } from '../../rpc/endpoint.ts'
import { codeName } from '../../rpc/rpc-error.ts'
import { parseEntryFile } from '../entry/entry-file.ts'
import { contentOf, type KnownEntries } from './existing-entries.ts'
import type { Item } from './read-items.ts'
import type { Tally } from './tally.ts'

/** Far below the 4 MiB that a server takes in one request. */
const BATCH_SIZE = 200

export interface ImportOptions {
  /** Change what is there and differs; otherwise it is refused. */
  readonly updates: boolean
  readonly dryRun: boolean
}

export type Decision =
  | { readonly kind: 'create' | 'update' }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refuse'; readonly why: string }

/** Never changes what stands under another ID: it may be somebody else's. */
export function decide(entry: Entry, known: KnownEntries, updates: boolean): Decision {
  const same = entry.id === '' ? undefined : known.byId(entry.id)
  const similar = known.similarTo(entry)
  if (same !== undefined) {
    if (same.content === contentOf(entry)) return { kind: 'unchanged' }
    if (updates) return { kind: 'update' }
    return { kind: 'refuse', why: 'the entry of that ID is another: give -update to change it' }
  }
  if (similar === undefined) return { kind: 'create' }
  if (similar.content === contentOf(entry)) return { kind: 'unchanged' }
  const name = similar.id === '' ? 'one before it in the file' : `entry ${similar.id}`
  const why = `${name} has the same SPIFFE ID, parent and selectors, and differs from it`
  return { kind: 'refuse', why }
}

/** @throws IdentityError REQUEST_INVALID or SPIFFE_ID_INVALID: this item cannot be imported */
export function readEntry({ value, problem }: Item): Entry {
  if (problem !== undefined) throw new IdentityError('REQUEST_INVALID', problem)
  const { entries, unknown } = parseEntryFile({ entries: [value] })
  const [entry] = entries
  const [meaningless] = unknown
  if (entry === undefined) throw new IdentityError('REQUEST_INVALID', 'there is no entry')
  if (meaningless !== undefined) {
    // A misspelt member would change the entry silently.
    const member = meaningless.replace(/^entries\[0\]\./, '')
    throw new IdentityError('REQUEST_INVALID', `${member} is no member of an entry`)
  }
  return { ...entry, revision_number: 0, created_at: 0 } // which the server alone sets
}

export interface EntryImport {
  take(item: Item): Promise<void>
  /** Does what is still to be done. */
  finish(): Promise<void>
}

export function importEntries(
  server: Endpoint,
  known: KnownEntries,
  { updates, dryRun }: ImportOptions,
  tally: Tally,
): EntryImport {
  const waiting = { create: [] as Placed[], update: [] as Placed[] }
  const flush = async (kind: 'create' | 'update') => {
    const batch = waiting[kind].splice(0)
    if (batch.length > 0 && !dryRun) await send(server, kind, batch, tally)
    else for (const _ of batch) tally.count(kind)
  }
  return {
    async take(item) {
      let entry: Entry
      try {
        entry = readEntry(item)
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error
        return tally.refuse(item.line, reasonOf(error).replaceAll('entries[0].', ''))
      }
      const decision = decide(entry, known, updates)
      if (decision.kind === 'unchanged') return tally.count('unchanged')
      if (decision.kind === 'refuse') return tally.refuse(item.line, decision.why)
      known.add(entry)
      waiting[decision.kind].push({ entry, line: item.line })
      if (waiting[decision.kind].length >= BATCH_SIZE) await flush(decision.kind)
    },
    async finish() {
      await flush('update')
      await flush('create')
    },
  }
}

interface Placed {
  readonly entry: Entry
  readonly line: number
}

async function send(
  server: Endpoint,
  kind: 'create' | 'update',
  batch: readonly Placed[],
  tally: Tally,
): Promise<void> {
  const client = server.client(entryApi())
  const entries = batch.map(({ entry }) => entry)
  const call =
    kind === 'create'
      ? server.call<BatchCreateEntryResponse>((options, done) =>
          client.BatchCreateEntry({ entries }, options, done),
        )
      : server.call<BatchUpdateEntryResponse>((options, done) =>
          client.BatchUpdateEntry({ entries }, options, done),
        )
  const { results } = await attempting(`unable to ${kind} entries`, call)
  for (const [index, { line }] of batch.entries()) {
    const { code, message } = results[index]?.status ?? { code: 2, message: 'no answer' }
    if (code === 0) tally.count(kind)
    else tally.refuse(line, `the server refuses it: ${message} (${codeName(code)})`)
  }
}
