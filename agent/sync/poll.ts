/**
 * One round of polling, exactly as SPIRE's agent does it: the authorized entries, of which only the changed ones are
 * fetched in full, then the own bundle, then the federated ones. All of it is applied together.
 *
 * @see SPIRE behaviour §3 — SyncAuthorizedEntries algorithm
 */
import type { ClientDuplexStream } from '@grpc/grpc-js'
import type { EntryRevision } from '../../proto/gen/spire/api/server/entry/v1/EntryRevision.ts'
import type { GetAuthorizedEntriesResponse } from '../../proto/gen/spire/api/server/entry/v1/GetAuthorizedEntriesResponse.ts'
import type { SyncAuthorizedEntriesRequestInput } from '../../proto/gen/spire/api/server/entry/v1/SyncAuthorizedEntriesRequest.ts'
import type { SyncAuthorizedEntriesResponse } from '../../proto/gen/spire/api/server/entry/v1/SyncAuthorizedEntriesResponse.ts'
import type { Entry as WireEntry } from '../../proto/gen/spire/api/types/Entry.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { CachedEntry } from '../cache/entry.ts'
import { federationsOf, type Knowledge } from '../cache/knowledge.ts'
import { callUnary, readStream, withDeadline } from '../node/call.ts'
import { fetchOwnBundle } from '../node/own-bundle.ts'
import { fetchFederated } from './federated.ts'
import type { FeedDeps, FeedRun } from './feed.ts'
import { checkCount, readEntries } from './read-entries.ts'

/** What an agent needs, and no more. */
const OUTPUT_MASK = {
  spiffe_id: true,
  selectors: true,
  federates_with: true,
  admin: true,
  downstream: true,
  revision_number: true,
  store_svid: true,
  hint: true,
  additional_attributes: true,
  created_at: true,
} as const

export async function pollOnce(deps: FeedDeps, run: FeedRun): Promise<void> {
  const { clock, trustDomain } = deps
  const limits = { ...run, clock }
  const before = deps.knowledge()
  const entries = await authorizedEntries(deps, run, before)
  const bundle = await fetchOwnBundle(run.lease, trustDomain, limits)
  const wanted = federationsOf(new Map(entries.map((entry) => [entry.entryId, entry])))
  const federated = await fetchFederated({
    client: run.lease.bundle,
    wanted,
    known: before.federated,
    limits,
    onFailure: (error, failed) => deps.onSkipped(error, { trustDomain: failed }),
  })
  deps.apply({ kind: 'snapshot', entries, bundle, federated })
}

async function authorizedEntries(
  deps: FeedDeps,
  run: FeedRun,
  known: Knowledge,
): Promise<readonly CachedEntry[]> {
  if (!deps.usesSync) return await allEntries(deps, run)
  try {
    return await syncEntries(deps, run, known)
  } catch (error) {
    // A server older than SyncAuthorizedEntries.
    if (!(error instanceof IdentityError) || error.code !== 'NOT_IMPLEMENTED') throw error
    return await allEntries(deps, run)
  }
}

async function allEntries(deps: FeedDeps, run: FeedRun): Promise<readonly CachedEntry[]> {
  const { entries } = await callUnary<GetAuthorizedEntriesResponse>(
    (done) => run.lease.entry.GetAuthorizedEntries({ output_mask: OUTPUT_MASK }, done),
    { ...run, clock: deps.clock },
  )
  return readEntries(entries, deps)
}

type SyncCall = ClientDuplexStream<SyncAuthorizedEntriesRequestInput, SyncAuthorizedEntriesResponse>

async function syncEntries(
  deps: FeedDeps,
  run: FeedRun,
  known: Knowledge,
): Promise<readonly CachedEntry[]> {
  return await withDeadline({ ...run, clock: deps.clock }, async (onCall) => {
    const call: SyncCall = run.lease.entry.SyncAuthorizedEntries()
    onCall(call)
    call.write({ output_mask: OUTPUT_MASK })
    const responses = readStream<SyncAuthorizedEntriesResponse>(call)
    try {
      return await exchange(call, responses, deps, known)
    } finally {
      call.end()
      await responses.return()
    }
  })
}

async function exchange(
  call: SyncCall,
  responses: AsyncGenerator<SyncAuthorizedEntriesResponse>,
  deps: FeedDeps,
  known: Knowledge,
): Promise<readonly CachedEntry[]> {
  const first = await nextOf(responses)
  // Without revisions this is the complete list; when it is empty, nothing is authorized any more.
  if (first.entry_revisions.length === 0) return readEntries(first.entries, deps)
  const revisions = [...first.entry_revisions]
  for (let { more } = first; more; ) {
    const page = await nextOf(responses)
    for (const revision of page.entry_revisions) revisions.push(revision)
    checkCount(revisions.length)
    more = page.more
  }
  const kept = revisions.flatMap((revision) => unchanged(revision, known) ?? [])
  const keptIds = new Set(kept.map(({ entryId }) => entryId))
  const wanted = revisions.map(({ id }) => id).filter((id) => !keptIds.has(id))
  const pageSize = first.entry_revisions.length
  const fetched: WireEntry[] = []
  for (let at = 0; at < wanted.length; at += pageSize) {
    call.write({ ids: wanted.slice(at, at + pageSize) })
    for (let more = true; more; ) {
      const page = await nextOf(responses)
      for (const entry of page.entries) fetched.push(entry)
      checkCount(fetched.length)
      more = page.more
    }
  }
  return [...kept, ...readEntries(fetched, deps)]
}

async function nextOf<T>(responses: AsyncGenerator<T>): Promise<T> {
  const { value, done } = await responses.next()
  if (done !== true) return value
  throw new IdentityError('UNAVAILABLE', 'the server ended the sync in the middle')
}

/** The entry as it is known, if the server has that same one. */
function unchanged(
  { id, revision_number, created_at }: EntryRevision,
  { entries }: Knowledge,
): CachedEntry | undefined {
  const entry = entries.get(id)
  const isSame = entry?.revision === revision_number && entry.createdAt === created_at
  return isSame ? entry : undefined
}
