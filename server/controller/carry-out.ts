/**
 * Writes what was planned into the store, in batches, each of them one transaction and one line of the audit log. What
 * could not be written is told by its key; everything else stands.
 */
import type { Entry } from '../entries/entry.ts'
import type { CreateEntryResult, EntryStore, UpdateEntryResult } from '../store/store.ts'
import type { OwnedEntries } from './owned-entries.ts'
import { asDeclared, keyOf, type Step } from './plan.ts'

export interface CarryOutDeps {
  readonly entries: Pick<EntryStore, 'create' | 'update' | 'remove'>
  readonly owned: Pick<OwnedEntries, 'set' | 'remove'>
  /** A new entry's. */
  newId(): string
  /** @throws when we may not write any more: another server leads */
  mustLead(): void
  /** One call for each batch. */
  audit(method: AuditedMethod, entries: readonly AuditedEntry[]): void
}

export type AuditedMethod = 'BatchCreateEntry' | 'BatchUpdateEntry' | 'BatchDeleteEntry'

export interface AuditedEntry {
  readonly id: string
  readonly spiffeId?: string
}

/** Key → why its entry is not as declared. */
export type Failures = ReadonlyMap<string, string>

/** Entries in one transaction. */
const MAX_BATCH = 500

type Of<K extends Step['kind']> = Extract<Step, { readonly kind: K }>

/** Removes before it creates: a similar entry may stand in the way. @throws IdentityError UNAVAILABLE */
export async function carryOut(steps: readonly Step[], deps: CarryOutDeps): Promise<Failures> {
  const failures = new Map<string, string>()
  for (const batch of batchesOf(steps, 'remove')) await remove(batch, deps)
  for (const batch of batchesOf(steps, 'create')) await create(batch, deps, failures)
  for (const batch of batchesOf(steps, 'update')) await update(batch, deps, failures)
  return failures
}

function* batchesOf<K extends Step['kind']>(
  steps: readonly Step[],
  kind: K,
): Generator<readonly Of<K>[]> {
  // The kind was looked at.
  const all = steps.filter((step): step is Of<K> => step.kind === kind)
  for (let at = 0; at < all.length; at += MAX_BATCH) yield all.slice(at, at + MAX_BATCH)
}

async function remove(steps: readonly Of<'remove'>[], deps: CarryOutDeps): Promise<void> {
  deps.mustLead()
  const ids = steps.map(({ id }) => id)
  await deps.entries.remove(ids)
  deps.audit('BatchDeleteEntry', steps)
  // One that was not there is gone as well.
  for (const id of ids) deps.owned.remove(id)
}

async function create(
  steps: readonly Of<'create'>[],
  deps: CarryOutDeps,
  failures: Map<string, string>,
): Promise<void> {
  deps.mustLead()
  const entries = steps.map(({ declared }) => ({ ...declared.fields, id: deps.newId() }))
  const results = await deps.entries.create(entries)
  deps.audit('BatchCreateEntry', entries)
  for (const [at, { declared }] of steps.entries()) {
    const result = results[at]
    if (result?.kind === 'created') deps.owned.set(result.entry)
    else failures.set(keyOf(declared.fields), creationFailure(result))
  }
}

function creationFailure(
  result: Exclude<CreateEntryResult, { kind: 'created' }> | undefined,
): string {
  switch (result?.kind) {
    case 'similar':
      return `entry ${result.entry.id} is there already, and it is not the controller's: it has the same SPIFFE ID, parent ID and selectors`
    case 'id-taken':
      return `an entry with ID ${result.id} exists already`
    case 'bundle-missing':
      return missingBundle(result.trustDomain)
    case undefined:
      return 'the store gave no answer'
    default:
      return result satisfies never
  }
}

async function update(
  steps: readonly Of<'update'>[],
  deps: CarryOutDeps,
  failures: Map<string, string>,
): Promise<void> {
  deps.mustLead()
  const results = await deps.entries.update(
    steps.map(({ id, declared }) => ({
      id,
      change: (current: Entry) => asDeclared(current, declared.fields),
    })),
  )
  deps.audit(
    'BatchUpdateEntry',
    steps.map(({ id, declared }) => ({ id, spiffeId: declared.fields.spiffeId })),
  )
  for (const [at, { id, declared }] of steps.entries()) {
    const result = results[at]
    if (result?.kind === 'updated') {
      deps.owned.set(result.entry)
      continue
    }
    if (result?.kind === 'not-found') deps.owned.remove(id)
    failures.set(keyOf(declared.fields), updateFailure(result))
  }
}

function updateFailure(
  result: Exclude<UpdateEntryResult, { kind: 'updated' }> | undefined,
): string {
  switch (result?.kind) {
    case 'not-found':
      return `entry ${result.id} was removed meanwhile`
    case 'bundle-missing':
      return missingBundle(result.trustDomain)
    case 'refused':
      return result.error.message
    case undefined:
      return 'the store gave no answer'
    default:
      return result satisfies never
  }
}

function missingBundle(trustDomain: string): string {
  return `there is no bundle of trust domain "${trustDomain}", which the entry federates with`
}
