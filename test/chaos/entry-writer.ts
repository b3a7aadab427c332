/**
 * A writer of entries at any of the servers: creates, updates and deletes, and says of each write what agents must know
 * from its acknowledgement on. A key whose write was not answered is never written again: it may have become either. Nor is
 * one that was deleted: an agent that has not heard of it yet would seem to know what was created in its place.
 */
import type { BatchCreateEntryResponse } from '../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { BatchDeleteEntryResponse } from '../../proto/gen/spire/api/server/entry/v1/BatchDeleteEntryResponse.ts'
import type { BatchUpdateEntryResponse } from '../../proto/gen/spire/api/server/entry/v1/BatchUpdateEntryResponse.ts'
import type { Entry, EntryInput } from '../../proto/gen/spire/api/types/Entry.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { Random } from '../../spiffe/random.ts'
import { pick } from '../fakes/seeded.ts'
import { type Admin, ask, type Outcome } from '../kill/clients.ts'
import type { Record as WriteRecord } from '../kill/record.ts'
import type { Wanted } from './expectations.ts'
import { type ChaosServer, TRUST_DOMAIN } from './servers.ts'

export interface WriterDeps {
  /** Of the IDs of its entries. */
  readonly prefix: string
  /** Paths of the agents for which it writes. */
  readonly parents: readonly string[]
  readonly servers: readonly ChaosServer[]
  readonly record: WriteRecord
  readonly random: Random
  readonly clock: Clock
  /** What the agent of this path must know of the entry. */
  expect(entryId: string, parent: string, wanted: Wanted): void
  /** What must never happen. */
  fault(what: string): void
}

/** Between two writes, and after one that was not answered. */
const PACE_MS = 60
const AFTER_FAILURE_MS = 500
/** Keys in use at once by one writer. */
const MAX_KEYS = 40
/** A server that does not answer within this time has not answered. */
const ANSWER_MS = 8_000

interface Key {
  readonly id: string
  readonly parent: string
  revision: number | undefined
  isDeleted: boolean
}

/** Runs until the signal aborts. */
export async function writeEntries(deps: WriterDeps, signal: AbortSignal): Promise<void> {
  const { prefix, parents, servers, random, clock } = deps
  const keys: Key[] = []
  let made = 0
  while (!signal.aborted) {
    const server = pick(random, servers)
    if (server === undefined) return
    if (keys.length < MAX_KEYS && random() < 0.5) {
      const parent = pick(random, parents) ?? ''
      keys.push({ id: `${prefix}-${made++}`, parent, revision: undefined, isDeleted: false })
    }
    const key = pick(random, keys)
    const isSure = key === undefined || (await write(key, made++, server.admin, deps))
    if (key !== undefined && (!isSure || key.isDeleted)) keys.splice(keys.indexOf(key), 1)
    await clock.sleep(isSure ? PACE_MS : AFTER_FAILURE_MS, signal)
  }
}

/** @returns whether it is known what has become of it */
async function write(key: Key, version: number, admin: Admin, deps: WriterDeps): Promise<boolean> {
  const { record, random, clock, expect, fault } = deps
  const { id, parent, revision } = key
  const deletes = revision !== undefined && random() < 0.4
  const entry = entryAt(id, version, parent)
  const attempt = record.attempt(id, deletes ? undefined : stateOf(entry))
  expect(id, parent, undefined)
  const limit = { deadline: clock.now().getTime() + ANSWER_MS }
  const outcome =
    revision === undefined
      ? await ask<BatchCreateEntryResponse>((done) =>
          admin.entry.BatchCreateEntry({ entries: [entry] }, limit, done),
        )
      : deletes
        ? await ask<BatchDeleteEntryResponse>((done) =>
            admin.entry.BatchDeleteEntry({ ids: [id] }, limit, done),
          )
        : await ask<BatchUpdateEntryResponse>((done) =>
            admin.entry.BatchUpdateEntry({ entries: [entry] }, limit, done),
          )
  const result = resultOf(outcome)
  if (result === undefined) return false
  if (result.kind === 'refused') {
    attempt.refuse()
    fault(`entry ${id} (${revision ?? 'absent'}) refused: ${result.why}`)
    return false
  }
  attempt.acknowledge()
  key.revision = result.revision
  key.isDeleted = deletes
  expect(id, parent, deletes ? { kind: 'absent' } : { kind: 'present', revision: result.revision })
  return true
}

type Result =
  | { readonly kind: 'done'; readonly revision: number }
  | { readonly kind: 'refused'; readonly why: string }

type Replies = BatchCreateEntryResponse | BatchUpdateEntryResponse | BatchDeleteEntryResponse

/** gRPC's code for "try again": the server says that it does not know. */
const UNAVAILABLE = 14

/** @returns undefined: nobody knows */
function resultOf(outcome: Outcome<Replies>): Result | undefined {
  if (outcome.kind === 'unanswered') return undefined
  if (outcome.kind === 'refused') return outcome
  const [result] = outcome.reply.results
  if (result?.status?.code === 0) {
    const entry = 'entry' in result ? result.entry : null
    return { kind: 'done', revision: entry?.revision_number ?? 0 }
  }
  if (result?.status?.code === UNAVAILABLE) return undefined
  return { kind: 'refused', why: `${result?.status?.code}: ${result?.status?.message}` }
}

/** Each version differs from the one before in every field, so that half of one would show. */
function entryAt(id: string, version: number, parent: string): EntryInput {
  return {
    id,
    parent_id: { trust_domain: TRUST_DOMAIN, path: parent },
    spiffe_id: { trust_domain: TRUST_DOMAIN, path: `/${id}/v${version}` },
    selectors: [`a${version}`, `b${version}`].map((value) => ({ type: 'test', value })),
    dns_names: [`v${version}.one.example`, `v${version}.two.example`],
    hint: `${id} v${version}`,
  }
}

/** Every field that was written, as one text. */
export function stateOf(entry: EntryInput | Entry): string {
  const { spiffe_id: id, parent_id: parent, selectors = [] } = entry
  const values = selectors.map(({ type, value }) => `${type}:${value}`).sort()
  return [id?.path, parent?.path, values, entry.dns_names, entry.hint].join(' ')
}
