/**
 * Group commit: writes called in one turn of the event loop share a transaction, and so one flush to
 * disk. A write resolves only after that flush; one that fails is undone alone and takes none along.
 */
import { IdentityError } from '../../../spiffe/error.ts'
import type { ChangeKind } from '../change-log.ts'
import { closedError } from '../closed-error.ts'
import { type Connection, toStoreError } from './connection.ts'

/** What a write may do besides SQL: leave a record in the change log. */
export type RecordChange = (kind: ChangeKind, key: string) => void

export interface WriteQueue {
  /** @throws whatever `job` throws; IdentityError UNAVAILABLE when too many writes wait or the store is closed */
  write<T>(job: (record: RecordChange) => T): Promise<T>
  /** Refuses further writes; resolves when every write called before has ended. */
  close(): Promise<void>
}

export interface WriteQueueDeps {
  readonly connection: Connection
  readonly recordChange: RecordChange
  /** Called after a commit that wrote records. */
  readonly onCommit: () => void
}

/** Keeps one turn of the event loop short when thousands of writes wait. */
const MAX_WRITES_PER_COMMIT = 128
const MAX_WAITING_WRITES = 10_000

interface Waiting {
  readonly run: () => void
  readonly succeed: () => void
  readonly fail: (error: unknown) => void
}

export function createWriteQueue(deps: WriteQueueDeps): WriteQueue {
  const { connection } = deps
  const waiting: Waiting[] = []
  let recorded = false
  let closed = false
  let idle = Promise.withResolvers<void>()
  idle.resolve()

  const record: RecordChange = (kind, key) => {
    deps.recordChange(kind, key)
    recorded = true
  }

  const flush = () => {
    recorded = false
    const group = waiting.splice(0, MAX_WRITES_PER_COMMIT)
    const committed = commitGroup(connection, group)
    if (committed && recorded) deps.onCommit()
    if (waiting.length > 0) setImmediate(flush)
    else idle.resolve()
  }

  return {
    write: (job) =>
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
        if (waiting.length === 0) {
          idle = Promise.withResolvers()
          setImmediate(flush)
        }
        let answer: () => void = () => {}
        waiting.push({
          run: () => {
            const value = job(record)
            answer = () => resolve(value)
          },
          succeed: () => answer(),
          fail: (error) => reject(toStoreError(error)),
        })
      }),
    close: () => {
      closed = true
      return idle.promise
    },
  }
}

/** @returns whether the transaction was committed */
function commitGroup(connection: Connection, group: readonly Waiting[]): boolean {
  const done: Waiting[] = []
  try {
    connection.run('begin immediate')
    for (const write of group) {
      connection.run('savepoint one_write')
      try {
        write.run()
        done.push(write)
      } catch (error) {
        if (!connection.isInTransaction()) throw error
        connection.run('rollback to one_write')
        write.fail(error)
      }
      connection.run('release one_write')
    }
    connection.run('commit')
  } catch (error) {
    // Nothing of this group is on disk: every write that has no answer yet fails.
    if (connection.isInTransaction()) connection.run('rollback')
    for (const write of group) write.fail(error)
    return false
  }
  for (const write of done) write.succeed()
  return true
}
