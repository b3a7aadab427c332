/** What a server keeps in memory of its store: entries, nodes, bundles of others; and who is told when they change. */
import type { Log } from '../log/open-log.ts'
import type { Bell } from '../spiffe/bell.ts'
import type { Clock } from '../spiffe/clock.ts'
import type { Loop } from '../spiffe/running-loops.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createWatchers } from './api/sync/watchers.ts'
import { openFederatedView } from './bundle/federated-view.ts'
import type { LocalBundle } from './bundle/local-bundle.ts'
import type { ServerConfig } from './config.ts'
import { createEntryIndex } from './entries/entry-index.ts'
import { followChanges } from './entries/follow-changes.ts'
import { cacheNodes } from './nodes/cache-nodes.ts'
import type { Store } from './store/store.ts'

export interface ViewDeps {
  readonly log: Log
  readonly clock: Clock
  /** Aborts when the server is to stop. */
  readonly signal: AbortSignal
  readonly metrics: Metrics
}

/** @throws IdentityError UNAVAILABLE when the store cannot be read */
export async function openViews(
  { trustDomain }: Pick<ServerConfig, 'trustDomain'>,
  store: Store,
  { bundle, bundleWritten }: { readonly bundle: LocalBundle; readonly bundleWritten: Bell },
  { log, clock, signal, metrics }: ViewDeps,
) {
  await using stack = new AsyncDisposableStack()
  const index = createEntryIndex(trustDomain)
  const watchers = createWatchers(index, {
    ...{ latest: () => store.changes.latest(), isShared: store.turns.isShared, clock },
  })
  signal.addEventListener('abort', watchers.wakeAll, { once: true })
  stack.defer(bundle.onChange(watchers.wakeAll))
  const federatedView = await openFederatedView({
    ...{ bundles: store.bundles, trustDomain, clock },
    onChange: watchers.wakeAll,
    onFailure: (err) => log.error({ err }, 'Federated bundles could not be read'),
  })
  const nodes = stack.use(
    await cacheNodes({
      nodes: store.nodes,
      changes: store.changes,
      onNodes: (ids) => (ids === 'all' ? watchers.wakeAll() : watchers.wake(ids)),
      onFailure: (err) => log.error({ err }, 'Changes of nodes could not be read'),
    }),
  )
  const loaded = Promise.withResolvers<void>()
  const follow: Loop = (stop) =>
    followChanges(
      {
        store,
        index,
        clock,
        onAffected: (agents) => watchers.wake(agents),
        onPlace: watchers.place.advance,
        onLooked: watchers.place.looked,
        onBundles: (changed) => {
          if (changed === 'all') bundle.doubt()
          if (changed === 'all' || changed.has(trustDomain)) bundleWritten.ring()
          federatedView.note(changed)
        },
        onFailure: (err) => log.error({ err }, 'Registration entries could not be followed'),
        onReady: () => loaded.resolve(),
        measureLoad: (load) => metrics.measure('entry_cache_reload', load),
      },
      stop,
    )
  const opened = stack.move()
  return {
    index,
    watchers,
    nodes,
    federatedView,
    /** Everything is loaded: before that, no agent may be answered. */
    ready: loaded.promise,
    loops: [follow, federatedView.follow],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
