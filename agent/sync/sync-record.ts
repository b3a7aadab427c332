/** When the agent last heard from the server what it is authorized for, and what keeps it from hearing more. */
import type { Clock } from '../../spiffe/clock.ts'
import { reasonOf } from '../../spiffe/error.ts'

export interface SyncState {
  /** Undefined: never since the agent started. */
  readonly lastSuccessAt: Date | undefined
  /** Why the agent is not in sync now; undefined when it is, and before the first attempt has ended. */
  readonly failure: string | undefined
}

export interface SyncRecord {
  read(): SyncState
  succeeded(): void
  failed(error: unknown): void
}

export function createSyncRecord(clock: Clock): SyncRecord {
  let state: SyncState = { lastSuccessAt: undefined, failure: undefined }
  return {
    read: () => state,
    succeeded() {
      state = { lastSuccessAt: clock.now(), failure: undefined }
    },
    failed(error) {
      state = { ...state, failure: reasonOf(error) }
    },
  }
}
