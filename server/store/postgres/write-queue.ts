/**
 * Group commit: writes that wait while another group is being written share the next transaction, and so
 * one flush to disk. A write resolves only after its commit; one that fails is undone alone.
 */
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { ChangeKind } from '../change-log.ts'
import { closedError } from '../closed-error.ts'
import { type ChangeToRecord, recordChanges } from './change-log.ts'
import type { Connection } from './connection.ts'
import type { Session } from './session.ts'
import { ConnectionLost, mayRetry, toStoreError } from './store-error.ts'
import { lockKeys, MAX_LOCKED_KEYS, type WriteKey } from './write-keys.ts'

export interface WriteSession extends Session {
  /** Leaves a record in the change log, written at the end of the transaction. */
  record(kind: ChangeKind, key: string): void
}

export interface WriteQueue {
  /**
   * @param keys what `job` decides by, or writes, and others could write at the same time
   * @param job may run more than once: pure apart from its statements
   * @throws whatever `job` throws; IdentityError UNAVAILABLE when it cannot be written now, too many writes
   *   wait or the store is closed
   */
  write<T>(keys: readonly WriteKey[], job: (session: WriteSession) => Promise<T>): Promise<T>
  /** Refuses further writes; resolves when every write called before has ended. */
  close(): Promise<void>
}

export interface WriteQueueDeps {
  readonly connection: Pick<Connection, 'write'>
  readonly clock: Clock
  /** Host and database, for messages. */
  readonly where: string
  /** Called after a commit that wrote records, with the newest sequence. */
  readonly onCommit: (sequence: number) => void
}

const MAX_WRITES_PER_COMMIT = 128
const MAX_WAITING_WRITES = 10_000

interface Waiting {
  readonly keys: readonly WriteKey[]
  /** @returns what tells the caller, to be called after the commit */
  readonly run: (session: WriteSession) => Promise<() => void>
  readonly fail: (error: unknown) => void
}

export function createWriteQueue(deps: WriteQueueDeps): WriteQueue {
  const waiting: Waiting[] = []
  let closed = false
  let flushing = Promise.resolve()
  let isFlushing = false

  const flush = async () => {
    while (waiting.length > 0) await commitGroup(deps, takeGroup(waiting))
    isFlushing = false
  }

  return {
    write: (keys, job) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(closedError())
        if (waiting.length >= MAX_WAITING_WRITES) {
          return reject(
            new IdentityError(
              'UNAVAILABLE',
              `${MAX_WAITING_WRITES} writes are waiting for the database, try again later`,
            ),
          )
        }
        waiting.push({
          keys,
          run: async (session) => {
            const value = await job(session)
            return () => resolve(value)
          },
          fail: reject,
        })
        if (isFlushing) return
        isFlushing = true
        // The writes of this turn of the event loop go together.
        flushing = new Promise<void>((go) => setImmediate(go)).then(flush)
      }),
    close: () => {
      closed = true
      return flushing
    },
  }
}

/** At least one; no more than can be locked one by one, so that large ones do not stop everybody else. */
function takeGroup(waiting: Waiting[]): readonly Waiting[] {
  const keys = new Set<WriteKey>()
  let count = 0
  for (const write of waiting) {
    for (const key of write.keys) keys.add(key)
    if (count === MAX_WRITES_PER_COMMIT || (count > 0 && keys.size > MAX_LOCKED_KEYS)) break
    count += 1
  }
  return waiting.splice(0, count)
}

/** Never rejects: each write of the group is told its own end. */
async function commitGroup(deps: WriteQueueDeps, group: readonly Waiting[]): Promise<void> {
  const first = await attempt(deps, group, false)
  if (first.kind === 'done') return first.tell()
  // One of them failed and took the others with it: now each gets a savepoint of its own.
  const second = first.isOfOne && group.length > 1 ? await attempt(deps, group, true) : first
  if (second.kind === 'done') return second.tell()
  for (const { fail } of group) fail(second.error)
}

type Attempt =
  | { readonly kind: 'done'; readonly tell: () => void }
  | { readonly kind: 'failed'; readonly error: unknown; readonly isOfOne: boolean }

/** @param apart whether a write that fails leaves the others alone, which costs two statements for each */
async function attempt(
  { connection, clock, where, onCommit }: WriteQueueDeps,
  group: readonly Waiting[],
  apart: boolean,
): Promise<Attempt> {
  const keys = new Set(group.flatMap((write) => write.keys))
  let isOfOne = false
  try {
    const { answers, sequence } = await connection.write(async (session) => {
      isOfOne = false
      const records: ChangeToRecord[] = []
      await lockKeys(session, keys)
      const answers: (() => void)[] = []
      for (const write of group) {
        try {
          answers.push(await runOne(session, write, records, apart))
        } catch (error) {
          if (isOfTransaction(error)) throw error
          isOfOne = true
          if (!apart) throw error
          answers.push(() => write.fail(toStoreError(error, where)))
        }
      }
      // Last of all: from here to the commit nobody else can write a record.
      return { answers, sequence: await recordChanges(session, records, clock.now()) }
    })
    const tell = () => {
      for (const answer of answers) answer()
      if (sequence !== undefined) onCommit(sequence)
    }
    return { kind: 'done', tell }
  } catch (error) {
    return { kind: 'failed', error, isOfOne }
  }
}

async function runOne(
  session: Session,
  write: Waiting,
  records: ChangeToRecord[],
  apart: boolean,
): Promise<() => void> {
  const before = records.length
  const writing: WriteSession = {
    ...session,
    record: (kind, key) => records.push({ kind, key }),
  }
  if (!apart) return await write.run(writing)
  await session.run('savepoint one_write')
  try {
    const answer = await write.run(writing)
    await session.run('release one_write')
    return answer
  } catch (error) {
    if (isOfTransaction(error)) throw error
    records.length = before
    await session.run('rollback to one_write')
    await session.run('release one_write')
    throw error
  }
}

/** It ends the transaction as a whole, which is then done again if it may be. */
function isOfTransaction(error: unknown): boolean {
  return error instanceof ConnectionLost || mayRetry(error)
}
