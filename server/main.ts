/**
 * The server process: everything is opened here, in the order in which it depends on each other, and closed in reverse.
 * When `runServer` resolves nothing of it is left.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Log } from '../log/open-log.ts'
import { createBell } from '../spiffe/bell.ts'
import type { Clock } from '../spiffe/clock.ts'
import { serveApis } from './api/serve-apis.ts'
import { createWatchers } from './api/sync/watchers.ts'
import { JOIN_TOKEN, joinTokenAttestor } from './attest/join-token.ts'
import { followBundle } from './bundle/follow.ts'
import { openLocalBundle } from './bundle/local-bundle.ts'
import { pruneBundle } from './bundle/prune.ts'
import { openDiskKeyStore } from './ca/key-store/disk.ts'
import type { KeyStore } from './ca/key-store/key-store.ts'
import { memoryKeyStore } from './ca/key-store/memory.ts'
import { openCa } from './ca/open-ca.ts'
import type { ServerConfig } from './config.ts'
import { prepareDataDir } from './data-dir.ts'
import { createEntryIndex } from './entries/entry-index.ts'
import { followChanges } from './entries/follow-changes.ts'
import { createIssuer } from './issue/issuer.ts'
import { openServerSvid, renewServerSvid } from './issue/server-svid.ts'
import { openRateLimits } from './listen/rate-limits.ts'
import { cacheNodes } from './nodes/cache-nodes.ts'
import { pruneJobs } from './prune/prune-jobs.ts'
import { pruneRegularly } from './prune/prune-loop.ts'
import { runLoops } from './running-loops.ts'
import { openStore } from './store/sqlite/open-store.ts'
import type { Store } from './store/store.ts'

export interface ServerDeps {
  readonly log: Log
  readonly clock: Clock
  /** Aborts when the server is to stop. */
  readonly signal: AbortSignal
  /** Both endpoints answer; `port` is the one that was bound. */
  readonly onReady?: (listening: { readonly port: number }) => void
}

/** SQLite serves one server only; its CA journal needs no better name. */
const SERVER_KEY = 'server'

/** Runs until the signal aborts. @throws IdentityError saying why the server cannot start */
export async function runServer(config: ServerConfig, deps: ServerDeps): Promise<void> {
  const { log, clock, signal, onReady } = deps
  log.info({ trust_domain: config.trustDomain, data_dir: config.dataDir }, 'Configured')
  for (const warning of config.warnings) log.warn(warning)
  prepareDataDir(config.dataDir)

  await using store = await openStore({ path: config.dataStore.path, clock })
  const authorities = await openAuthorities(config, store, deps)
  await using views = await openViews(config, store, authorities, deps)
  await using loops = runLoops([...authorities.loops, ...views.loops, ...pruneLoops(store, deps)])
  await Promise.race([views.ready, loops.failed, aborted(signal)])
  if (signal.aborted) return

  await using apis = await serve(config, store, authorities, views, deps)
  onReady?.({ port: apis.port })
  await Promise.race([loops.failed, aborted(signal)])
  log.info('Stopping')
}

type Loop = (signal: AbortSignal) => Promise<unknown>

/** What signs: resolves when there is something to sign with. */
async function openAuthorities(config: ServerConfig, store: Store, { log, clock }: ServerDeps) {
  const bundle = await openLocalBundle(store.bundles, config.trustDomain)
  const ca = await openCa(config, {
    journalStore: store.caJournal,
    serverKey: SERVER_KEY,
    keyStore: await openKeyStore(config, log),
    publication: bundle,
    clock,
    randomBytes,
    log: log.child({ component: 'ca' }),
  })
  const issuer = createIssuer(config, { x509: ca.x509, jwt: ca.jwt, clock, randomBytes })
  const serverSvid = await openServerSvid(issuer)
  const bundleWritten = createBell()
  const failed = (msg: string) => (err: unknown) => log.error({ err }, msg)
  const loops: readonly Loop[] = [
    ca.rotate,
    (stop) => {
      const onFailure = failed('Server SVID could not be renewed')
      return renewServerSvid({ svid: serverSvid, x509: ca.x509, clock, onFailure }, stop)
    },
    (stop) => {
      const onFailure = failed('Bundle could not be read')
      return followBundle({ bundle, written: bundleWritten, clock, onFailure }, stop)
    },
    (stop) => {
      const onFailure = failed('Bundle could not be pruned')
      const onPruned = () => log.info('Pruned expired authorities from the bundle')
      return pruneBundle({ bundle, clock, onPruned, onFailure }, stop)
    },
  ]
  return { bundle, issuer, serverSvid, bundleWritten, loops }
}

type OpenAuthorities = Awaited<ReturnType<typeof openAuthorities>>

/** What is kept in memory of the store, and who is told when it changes. */
async function openViews(
  { trustDomain }: ServerConfig,
  store: Store,
  { bundle, bundleWritten }: OpenAuthorities,
  { log, clock, signal }: ServerDeps,
) {
  await using stack = new AsyncDisposableStack()
  const index = createEntryIndex(trustDomain)
  const watchers = createWatchers(index)
  signal.addEventListener('abort', watchers.wakeAll, { once: true })
  stack.defer(bundle.onChange(watchers.wakeAll))
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
        onBundles: (changed) => {
          if (changed === 'all' || changed.has(trustDomain)) bundleWritten.ring()
        },
        onFailure: (err) => log.error({ err }, 'Registration entries could not be followed'),
        onReady: () => loaded.resolve(),
      },
      stop,
    )
  const opened = stack.move()
  return {
    index,
    watchers,
    nodes,
    /** Everything is loaded: before that, no agent may be answered. */
    ready: loaded.promise,
    loops: [follow],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function serve(
  config: ServerConfig,
  store: Store,
  { bundle, issuer, serverSvid }: OpenAuthorities,
  { index, watchers, nodes }: Awaited<ReturnType<typeof openViews>>,
  { log, clock, signal }: ServerDeps,
) {
  const { trustDomain, adminIds, bindAddress, bindPort, socketPath, disableJwtSvids } = config
  const { entries, joinTokens, bundles } = store
  const configuredAdmins = new Set(adminIds)
  return serveApis(
    {
      trustDomain,
      attestors: new Map([[JOIN_TOKEN, joinTokenAttestor({ trustDomain, joinTokens, clock })]]),
      nodes: { ...store.nodes, find: nodes.find },
      limits: openRateLimits(config.rateLimit, clock),
      standing: {
        isConfiguredAdmin: (id) => configuredAdmins.has(id),
        isAdmin: index.isAdmin,
        isDownstream: (id) => index.downstreamEntry(id) !== undefined,
      },
      ...{ entries, joinTokens, bundles, localBundle: bundle, issuer, index, watchers },
      ...{ disableJwtSvids, randomUuid: randomUUID, clock, log, stopping: signal },
    },
    {
      ...{ bindAddress, bindPort, socketPath, serverSvid, trustDomain, clock },
      adminIds: configuredAdmins,
      bundleOf: async (domain) =>
        domain === trustDomain ? bundle.current() : await bundles.find(domain),
    },
  )
}

function pruneLoops(store: Store, { log, clock }: ServerDeps): readonly Loop[] {
  const onPruned = (what: string, count: number) => log.info({ what, count }, 'Pruned')
  const onFailure = (what: string, err: unknown) => log.error({ what, err }, 'Could not prune')
  return pruneJobs(store).map(
    (job) => (stop) => pruneRegularly(job, { clock, onPruned, onFailure }, stop),
  )
}

async function openKeyStore({ keyManager }: ServerConfig, log: Log): Promise<KeyStore> {
  return keyManager.kind === 'disk'
    ? await openDiskKeyStore({ path: keyManager.keysPath, log })
    : memoryKeyStore()
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
