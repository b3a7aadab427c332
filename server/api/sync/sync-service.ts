/** `steeple.server.sync.v1.Sync`, put together. */
import type { SyncHandlers } from '../../../proto/gen/steeple/server/sync/v1/Sync.ts'
import type { Implementation } from '../../../proto/serve.ts'
import type { Caller } from '../../listen/caller.ts'
import { type WatchDeps, watch } from './watch.ts'

export function syncService(deps: WatchDeps): Implementation<Caller, SyncHandlers> {
  return { Watch: (request, call, send) => watch(request, call, send, deps) }
}
