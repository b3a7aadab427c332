/**
 * The server process: everything is opened here, in the order in which it depends on each other, and closed in reverse.
 * When `runServer` resolves nothing of it is left.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { prepareDataDir } from '../disk/data-dir.ts'
import { createLevelSwitch, type LevelSwitch } from '../log/level-switch.ts'
import type { Log } from '../log/open-log.ts'
import { createBell } from '../spiffe/bell.ts'
import type { Clock } from '../spiffe/clock.ts'
import { type Loop, runLoops } from '../spiffe/running-loops.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { serveHealth } from '../telemetry/serve-health.ts'
import { serveMetrics } from '../telemetry/serve-metrics.ts'
import { serveApis } from './api/serve-apis.ts'
import { createWatchers } from './api/sync/watchers.ts'
import { configuredAttestors } from './attest/configured-attestors.ts'
import { followBundle } from './bundle/follow.ts'
import { openLocalBundle } from './bundle/local-bundle.ts'
import { pruneBundle } from './bundle/prune.ts'
import { openDiskKeyStore } from './ca/key-store/disk.ts'
import type { KeyStore } from './ca/key-store/key-store.ts'
import { memoryKeyStore } from './ca/key-store/memory.ts'
import { openCa } from './ca/open-ca.ts'
import type { ServerConfig } from './config.ts'
import { createEntryIndex } from './entries/entry-index.ts'
import { followChanges } from './entries/follow-changes.ts'
import { healthChecks } from './health/health-checks.ts'
import { createIssuer } from './issue/issuer.ts'
import { openServerSvid, renewServerSvid } from './issue/server-svid.ts'
import { openRateLimits } from './listen/rate-limits.ts'
import { cacheNodes } from './nodes/cache-nodes.ts'
import { pruneJobs } from './prune/prune-jobs.ts'
import { pruneRegularly } from './prune/prune-loop.ts'
import { openStore } from './store/sqlite/open-store.ts'
import type { Store } from './store/store.ts'
import { gaugeEntryCache } from './telemetry/gauge-entry-cache.ts'
import { gaugeX509Ca, meterIssuer } from './telemetry/meter-ca.ts'
import { meterStore } from './telemetry/meter-store.ts'

export interface ServerDeps {
  readonly log: Log
  readonly clock: Clock
  /** Aborts when the server is to stop. */
  readonly signal: AbortSignal
  /** Shown among the metrics. */
  readonly version?: string
  /** Both endpoints answer; `port` is the one that was bound. */
  readonly onReady?: (listening: { readonly port: number }) => void
}

/** What the running server can say of itself, and what of it can be switched. */
interface Process {
  readonly startedAt: Date
  readonly logLevel: LevelSwitch
  readonly metrics: Metrics
}

/** SQLite serves one server only; its CA journal needs no better name. */
const SERVER_KEY = 'server'

/** Runs until the signal aborts. @throws IdentityError saying why the server cannot start */
export async function runServer(config: ServerConfig, deps: ServerDeps): Promise<void> {
  const { log, clock, signal, onReady } = deps
  const startedAt = clock.now()
  const logLevel = createLevelSwitch(log, config.log.level)
  log.info({ trust_domain: config.trustDomain, data_dir: config.dataDir }, 'Configured')
  for (const warning of config.warnings) log.warn(warning)
  prepareDataDir(config.dataDir)

  await using telemetry = await serveMetrics({
    ...{ config: config.telemetry, trustDomain: config.trustDomain, prefix: 'spire_server' },
    ...{ version: deps.version ?? 'unknown', clock, log },
  })
  const { metrics } = telemetry
  const process: Process = { startedAt, logLevel, metrics }
  await using opened = await openStore({ path: config.dataStore.path, clock })
  const store = meterStore(opened, metrics)
  const authorities = await openAuthorities(config, store, metrics, deps)
  await using views = await openViews(config, store, authorities, deps)
  await using loops = runLoops([...authorities.loops, ...views.loops, ...pruneLoops(store, deps)])
  await Promise.race([views.ready, loops.failed, aborted(signal)])
  if (signal.aborted) return

  await using apis = await serve(config, store, authorities, views, { ...deps, ...process })
  await using _health = await openHealth(config, store, authorities, deps)
  onReady?.({ port: apis.port })
  await Promise.race([loops.failed, aborted(signal)])
  log.info('Stopping')
}

/** What signs: resolves when there is something to sign with. */
async function openAuthorities(
  config: ServerConfig,
  store: Store,
  metrics: Metrics,
  { log, clock }: ServerDeps,
) {
  const bundle = await openLocalBundle(store.bundles, config.trustDomain)
  const ca = await openCa(config, {
    journalStore: store.caJournal,
    serverKey: SERVER_KEY,
    keyStore: await openKeyStore(config, log),
    publication: bundle,
    clock,
    randomBytes,
    log: log.child({ component: 'ca' }),
    metrics,
  })
  gaugeX509Ca(ca.x509, { trustDomain: config.trustDomain, metrics, now: () => clock.now() })
  const signing = { x509: ca.x509, jwt: ca.jwt, clock, randomBytes }
  const issuer = meterIssuer(createIssuer(config, signing), metrics)
  const rotated = <T>(work: () => Promise<T>) => metrics.measure('svid_rotate', work)
  const serverSvid = await rotated(() => openServerSvid(issuer))
  const bundleWritten = createBell()
  const failed = (msg: string) => (err: unknown) => log.error({ err }, msg)
  const loops: readonly Loop[] = [
    ca.rotate,
    (stop) => {
      const onFailure = failed('Server SVID could not be renewed')
      const svid = { ...serverSvid, renew: () => rotated(serverSvid.renew) }
      return renewServerSvid({ svid, x509: ca.x509, clock, onFailure }, stop)
    },
    (stop) => {
      const onFailure = failed('Bundle could not be read')
      return followBundle({ bundle, written: bundleWritten, clock, onFailure }, stop)
    },
    (stop) => {
      const onFailure = failed('Bundle could not be pruned')
      const onPruned = () => {
        metrics.count('ca_manager_bundle_pruned')
        log.info('Pruned expired authorities from the bundle')
      }
      return pruneBundle({ bundle, clock, onPruned, onFailure }, stop)
    },
  ]
  return { bundle, ca, issuer, serverSvid, bundleWritten, loops }
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
  { bundle, ca, issuer, serverSvid }: OpenAuthorities,
  { index, watchers, nodes }: Awaited<ReturnType<typeof openViews>>,
  { log, clock, signal, startedAt, logLevel, metrics }: ServerDeps & Process,
) {
  const { trustDomain, adminIds, bindAddress, bindPort, socketPath, disableJwtSvids } = config
  const { entries, joinTokens, bundles, federation } = store
  const configuredAdmins = new Set(adminIds)
  gaugeEntryCache(index, metrics)
  return serveApis(
    {
      trustDomain,
      attestors: configuredAttestors(config.nodeAttestors, {
        ...{ trustDomain, joinTokens, clock, randomBytes },
        bundle: bundle.current,
      }),
      nodes: { ...store.nodes, find: nodes.find },
      limits: openRateLimits(config.rateLimit, clock),
      standing: {
        isConfiguredAdmin: (id) => configuredAdmins.has(id),
        isAdmin: index.isAdmin,
        isDownstream: (id) => index.downstreamEntry(id) !== undefined,
      },
      ...{ entries, joinTokens, bundles, federation, localBundle: bundle, issuer, index, watchers },
      ...{ authorities: ca, serverSvid, startedAt, logLevel },
      ...{ disableJwtSvids, randomUuid: randomUUID, clock, log, stopping: signal },
      ...{ metrics, hasAuditLog: config.hasAuditLog },
    },
    {
      ...{ bindAddress, bindPort, socketPath, serverSvid, trustDomain, clock },
      adminIds: configuredAdmins,
      bundleOf: async (domain) =>
        domain === trustDomain ? bundle.current() : await bundles.find(domain),
    },
  )
}

async function openHealth(
  { health, trustDomain }: ServerConfig,
  store: Store,
  { ca }: OpenAuthorities,
  { clock, log }: ServerDeps,
): Promise<AsyncDisposable | undefined> {
  if (health === undefined) return undefined
  const authorities = ca.jwt === undefined ? [ca.x509] : [ca.x509, ca.jwt]
  const checks = healthChecks({ trustDomain, store, authorities, clock })
  return await serveHealth(health, { checks, clock, log: log.child({ component: 'health' }) })
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
