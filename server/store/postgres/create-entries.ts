/**
 * Creating entries in PostgreSQL: who is similar, whose ID is taken and which bundles are missing is asked
 * for all of them at once; each is then judged as if those before it had been written.
 */
import { unixSeconds } from '../../../spiffe/clock.ts'
import type { Entry, NewEntry } from '../../entries/entry.ts'
import { decodeEntry, ENTRY_COLUMNS, type StoredEntry } from '../sql/entry-row.ts'
import type { CreateEntryResult } from '../store.ts'
import { addEntries, type EntryToAdd } from './entry-statements.ts'
import { createBundleFinder } from './find-bundles.ts'
import type { WriteSession } from './write-queue.ts'

export interface WantedEntry {
  readonly entry: NewEntry
  /** Chosen by its creator or by us: the same however often the transaction is run. */
  readonly id: string
  /** See `similarityOf`. The transaction holds the key of that name. */
  readonly similarity: string
}

const COLUMNS = [...ENTRY_COLUMNS, 'similarity'].join(', ')

/** One lookup by index for each name (`offset 0` keeps the planner from reading the whole table for all of them). */
const FIND_PRESENT = `select found.* from unnest($1::text[]) as wanted (similarity)
    cross join lateral (
      select ${COLUMNS} from entries where similarity = wanted.similarity offset 0
    ) found
  union select found.* from unnest($2::text[]) as wanted (id)
    cross join lateral (select ${COLUMNS} from entries where id = wanted.id offset 0) found
  order by row`

type Verdict =
  | { readonly kind: 'decided'; readonly result: CreateEntryResult }
  | { readonly kind: 'to-add'; readonly place: number }
  /** As one that this call creates. */
  | { readonly kind: 'similar-to'; readonly place: number }

/** @returns one result for each, in order */
export async function createEntries(
  session: WriteSession,
  wanted: readonly WantedEntry[],
  now: Date,
): Promise<readonly CreateEntryResult[]> {
  const present = await findPresent(session, wanted)
  const missingBundle = createBundleFinder(session)
  await missingBundle.prepare(wanted.flatMap(({ entry }) => entry.federatesWith))
  const adding: EntryToAdd[] = []
  const placeOf = new Map<string, number>()
  const createdAt = unixSeconds(now)
  const verdicts: Verdict[] = []
  for (const { entry, id, similarity } of wanted) {
    const similar = present.bySimilarity.get(similarity)
    const place = placeOf.get(similarity)
    if (similar !== undefined) {
      verdicts.push({ kind: 'decided', result: { kind: 'similar', entry: similar } })
    } else if (place !== undefined) {
      verdicts.push({ kind: 'similar-to', place })
    } else if (present.ids.has(id)) {
      verdicts.push({ kind: 'decided', result: { kind: 'id-taken', id } })
    } else {
      const missing = await missingBundle(entry.federatesWith)
      if (missing !== undefined) {
        const result = { kind: 'bundle-missing', trustDomain: missing } as const
        verdicts.push({ kind: 'decided', result })
        continue
      }
      verdicts.push({ kind: 'to-add', place: adding.length })
      placeOf.set(similarity, adding.length)
      present.ids.add(id)
      adding.push({ id, createdAt, fields: entry })
    }
  }
  const added = await addEntries(session, adding)
  return verdicts.map((verdict) => resultOf(verdict, added))
}

function resultOf(verdict: Verdict, added: readonly Entry[]): CreateEntryResult {
  if (verdict.kind === 'decided') return verdict.result
  const entry = added[verdict.place]
  if (entry === undefined) throw new Error('the entry just written is not there')
  return { kind: verdict.kind === 'to-add' ? 'created' : 'similar', entry }
}

async function findPresent(session: WriteSession, wanted: readonly WantedEntry[]) {
  const rows = await session.all<StoredEntry>(
    FIND_PRESENT,
    wanted.map(({ similarity }) => similarity),
    wanted.map(({ id }) => id),
  )
  const bySimilarity = new Map<string, Entry>()
  for (const row of rows) {
    // several can be similar after an update: the oldest one is the answer
    if (!bySimilarity.has(row.similarity)) bySimilarity.set(row.similarity, decodeEntry(row))
  }
  return { bySimilarity, ids: new Set(rows.map(({ id }) => id)) }
}
