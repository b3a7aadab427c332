/**
 * Load on servers that are being replaced: entries written at all of them in turn, each write tried again until it is answered,
 * as any client of several servers does. What was acknowledged is remembered, and so is what no retry healed.
 */
import type { BatchCreateEntryResponse } from '../../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { BatchDeleteEntryResponse } from '../../../proto/gen/spire/api/server/entry/v1/BatchDeleteEntryResponse.ts'
import type { EntryInput } from '../../../proto/gen/spire/api/types/Entry.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { reasonOf } from '../../../spiffe/error.ts'
import { type Admin, call } from '../../kill/clients.ts'

const [OK, NOT_FOUND, ALREADY_EXISTS] = [0, 5, 6]
/** A server that stops ends what it has begun within ten seconds; its successor is up within a few more. */
const HEALS_MS = 60_000
const ANSWER_MS = 10_000
const RETRY_MS = 100
const PACE_MS = 50
/** Every third entry is deleted again. */
const DELETED_OF = 3

export interface Written {
  /** Acknowledged, and not deleted: the path of the agent of each. */
  readonly kept: Map<string, string>
  readonly deleted: Set<string>
  /** Calls that no retry healed. */
  readonly refused: string[]
}

/** Asks the servers one after the other. @returns undefined once it is not to be tried any more */
export async function persist<T>(
  attempt: (turn: number) => Promise<T>,
  failed: (why: string, isLast: boolean) => void,
): Promise<T | undefined> {
  const until = systemClock.now().getTime() + HEALS_MS
  for (let turn = 0; ; turn += 1) {
    try {
      return await attempt(turn)
    } catch (error) {
      const isLast = systemClock.now().getTime() >= until
      failed(reasonOf(error), isLast)
      if (isLast) return undefined
      await systemClock.sleep(RETRY_MS)
    }
  }
}

/** Writes until the signal aborts; what was begun is brought to its end. */
export async function writeEntries(
  {
    prefix,
    admins,
    parents,
  }: { prefix: string; admins: readonly Admin[]; parents: readonly string[] },
  written: Written,
  onRetry: () => void,
  signal: AbortSignal,
): Promise<void> {
  const ask = (what: string, attempt: (admin: Admin) => Promise<number>, fine: readonly number[]) =>
    persist(
      async (turn) => {
        const admin = admins[(made + turn) % admins.length]
        const code = admin && (await attempt(admin))
        if (code === undefined || !fine.includes(code)) throw new Error(`code ${code}`)
        return code
      },
      (why, isLast) => (isLast ? written.refused.push(`${what}: ${why}`) : onRetry()),
    )
  let made = 0
  for (; !signal.aborted; made += 1) {
    const id = `${prefix}-${made}`
    const parent = parents[made % parents.length] ?? ''
    const limit = () => ({ deadline: systemClock.now().getTime() + ANSWER_MS })
    const create = async ({ entry }: Admin) => {
      const entries = [entryOf(id, parent)]
      const reply = await call<BatchCreateEntryResponse>((done) =>
        entry.BatchCreateEntry({ entries }, limit(), done),
      )
      return reply.results[0]?.status?.code ?? -1
    }
    // A try before may have been carried out, and its answer lost.
    if ((await ask(`create ${id}`, create, [OK, ALREADY_EXISTS])) !== undefined) {
      written.kept.set(id, parent)
    }
    if (made % DELETED_OF === 0) {
      const remove = async ({ entry }: Admin) => {
        const reply = await call<BatchDeleteEntryResponse>((done) =>
          entry.BatchDeleteEntry({ ids: [id] }, limit(), done),
        )
        return reply.results[0]?.status?.code ?? -1
      }
      written.kept.delete(id)
      const gone = await ask(`delete ${id}`, remove, [OK, NOT_FOUND])
      if (gone !== undefined) written.deleted.add(id)
    }
    await systemClock.sleep(PACE_MS, signal)
  }
}

function entryOf(id: string, parent: string): EntryInput {
  return {
    ...{ id, parent_id: { trust_domain: 'example.org', path: parent } },
    spiffe_id: { trust_domain: 'example.org', path: `/${id}` },
    selectors: [{ type: 'test', value: id }],
  }
}
