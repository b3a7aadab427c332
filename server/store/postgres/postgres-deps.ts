/** What the parts of the PostgreSQL store share. */
import type { Clock } from '../../../spiffe/clock.ts'
import type { Connection } from './connection.ts'
import type { WriteQueue } from './write-queue.ts'

export interface PostgresDeps {
  readonly connection: Connection
  readonly queue: WriteQueue
  readonly clock: Clock
  /** An ID for an entry whose creator chose none. */
  readonly randomId: () => string
}
