/** BatchCreateEntry, BatchUpdateEntry and BatchDeleteEntry: one result per item, whatever becomes of the others. */
import type { EntryHandlers } from '../../../proto/gen/spire/api/server/entry/v1/Entry.ts'
import type { EntryInput } from '../../../proto/gen/spire/api/types/Entry.ts'
import type { EntryMask as WireMask } from '../../../proto/gen/spire/api/types/EntryMask.ts'
import type { StatusInput } from '../../../proto/gen/spire/api/types/Status.ts'
import type { Implementation } from '../../../proto/serve.ts'
import { ITEM_OK, toItemStatus } from '../../../proto/status.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { type TrustDomain, trustDomainId } from '../../../spiffe/id.ts'
import { checkEntryFields, checkEntryId } from '../../entries/check-entry.ts'
import { applyChange } from '../../entries/entry-mask.ts'
import { parseEntryChange, parseNewEntry } from '../../entries/parse-entry.ts'
import type { Caller } from '../../listen/caller.ts'
import type {
  CreateEntryResult,
  EntryStore,
  EntryUpdate,
  UpdateEntryResult,
} from '../../store/store.ts'
import { inContext, invalid, notFound, within } from '../refusal.ts'
import { fromWireEntry, fromWireMask, toWireEntry, toWrittenEntry } from './wire-entry.ts'

export interface WriteEntriesDeps {
  readonly trustDomain: TrustDomain
  readonly entries: Pick<EntryStore, 'create' | 'update' | 'remove'>
}

interface ItemResult {
  readonly status: StatusInput
  readonly entry?: EntryInput
}

export function writeEntries({
  trustDomain,
  entries,
}: WriteEntriesDeps): Pick<
  Required<Implementation<Caller, EntryHandlers>>,
  'BatchCreateEntry' | 'BatchUpdateEntry' | 'BatchDeleteEntry'
> {
  return {
    async BatchCreateEntry({ entries: wires, output_mask }) {
      const results = await eachItem(
        wires,
        (wire) => {
          const entry = within('failed to convert entry', () =>
            parseNewEntry(fromWireEntry(wire), trustDomain),
          )
          return within('failed to create entry', () => {
            checkEntryId(entry.id ?? '')
            checkEntryFields(entry)
            return entry
          })
        },
        (parsed) => entries.create(parsed),
        (result) => createdItem(result, output_mask),
      )
      return { results }
    },

    async BatchUpdateEntry({ entries: wires, input_mask, output_mask }) {
      const mask = fromWireMask(input_mask)
      const results = await eachItem(
        wires,
        (wire): EntryUpdate => {
          const change = within('failed to convert entry', () =>
            parseEntryChange(fromWireEntry(wire), trustDomain, mask),
          )
          return { id: wire.id, change: (current) => applyChange(current, change) }
        },
        (parsed) => entries.update(parsed),
        (result) => updatedItem(result, output_mask),
      )
      return { results }
    },

    async BatchDeleteEntry({ ids }) {
      const results = await eachItem(
        ids,
        (id) => {
          if (id === '') throw invalid('missing entry ID')
          return id
        },
        (parsed) => entries.remove(parsed),
        ({ kind }) => {
          if (kind === 'not-found') throw notFound('entry not found')
          return { status: ITEM_OK }
        },
      )
      return { results: results.map((result, at) => ({ ...result, id: ids[at] ?? '' })) }
    },
  }
}

/** Items that cannot be read get their status at once; the others go to the store together. */
async function eachItem<Wire, Item, Result>(
  wires: readonly Wire[],
  read: (wire: Wire) => Item,
  write: (items: readonly Item[]) => Promise<readonly Result[]>,
  answer: (result: Result) => ItemResult,
): Promise<ItemResult[]> {
  const items: Item[] = []
  const readings = wires.map((wire) =>
    attempt(() => {
      items.push(read(wire))
      return undefined
    }),
  )
  const written = (items.length === 0 ? [] : await write(items)).values()
  return readings.map((refused) => {
    if (refused !== undefined) return refused
    const { value, done } = written.next()
    if (done) throw new Error('the store gave fewer results than it was given items')
    return attempt(() => answer(value))
  })
}

/** A refusal becomes the status of its item; a bug fails the whole call. */
function attempt<T>(work: () => T): T | ItemResult {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return { status: toItemStatus(error) }
  }
}

function createdItem(result: CreateEntryResult, mask: WireMask | null): ItemResult {
  switch (result.kind) {
    case 'created':
      return { status: ITEM_OK, entry: toWrittenEntry(result.entry, mask) }
    case 'similar': {
      const exists = new IdentityError('ALREADY_EXISTS', 'similar entry already exists')
      return { status: toItemStatus(exists), entry: toWireEntry(result.entry, mask) }
    }
    case 'id-taken':
      throw new IdentityError(
        'ALREADY_EXISTS',
        `failed to create entry: an entry with ID "${result.id}" already exists`,
      )
    case 'bundle-missing':
      throw bundleMissing('failed to create entry', result.trustDomain)
    default:
      return result satisfies never
  }
}

function updatedItem(result: UpdateEntryResult, mask: WireMask | null): ItemResult {
  switch (result.kind) {
    case 'updated':
      return { status: ITEM_OK, entry: toWrittenEntry(result.entry, mask) }
    case 'not-found':
      throw notFound('failed to update entry')
    case 'refused':
      throw inContext('failed to update entry', result.error)
    case 'bundle-missing':
      throw bundleMissing('failed to update entry', result.trustDomain)
    default:
      return result satisfies never
  }
}

/** SPIRE's code and text; scripts look for it. */
function bundleMissing(context: string, trustDomain: TrustDomain): IdentityError {
  return new IdentityError(
    'INTERNAL',
    `${context}: unable to find federated bundle "${trustDomainId(trustDomain)}"`,
  )
}
