/**
 * The server process: everything is opened here, in the order in which it depends on each other, and closed in reverse.
 * When `runServer` resolves nothing of it is left.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { prepareDataDir } from '../disk/data-dir.ts'
import { createLevelSwitch, type LevelSwitch } from '../log/level-switch.ts'
import type { Log } from '../log/open-log.ts'
import { aborted } from '../spiffe/aborted.ts'
import type { Clock } from '../spiffe/clock.ts'
import { systemRandom } from '../spiffe/random.ts'
import { runLoops } from '../spiffe/running-loops.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { serveHealth } from '../telemetry/serve-health.ts'
import { serveMetrics } from '../telemetry/serve-metrics.ts'
import type { MeshServiceDeps } from './api/mesh/mesh-service.ts'
import { serveApis } from './api/serve-apis.ts'
import { configuredAttestors } from './attest/configured-attestors.ts'
import { type Reload, reloadAttestors } from './attest/reload-attestors.ts'
import { backupDeps } from './backup/backup-deps.ts'
import type { ServerConfig } from './config.ts'
import { privilegedIds } from './entries/privileged-ids.ts'
import { type Federation, openFederation } from './federation/open-federation.ts'
import { healthChecks } from './health/health-checks.ts'
import { openLedger } from './issue/open-ledger.ts'
import { openRateLimits } from './listen/rate-limits.ts'
import { openMesh } from './mesh/open-mesh.ts'
import { type OpenAuthorities, openAuthorities } from './open-authorities.ts'
import { openClusterServices } from './open-cluster-services.ts'
import { openViews } from './open-views.ts'
import { pruneLoops } from './prune/prune-loops.ts'
import { openPublishing } from './publish/publish-loops.ts'
import { joinServers } from './servers/join-servers.ts'
import { openStore } from './store/open-store.ts'
import type { Store } from './store/store.ts'
import { gaugeEntryCache } from './telemetry/gauge-entry-cache.ts'
import { meterStore } from './telemetry/meter-store.ts'
import { observeTurns } from './telemetry/observe-turns.ts'
import { openUpstream } from './upstream/open-upstream.ts'
import { operateRoots } from './upstream/operate-roots.ts'

export interface ServerDeps {
  readonly log: Log
  readonly clock: Clock
  /** Aborts when the server is to stop. */
  readonly signal: AbortSignal
  /** For plugins whose data can be read again. */
  readonly reload?: Reload | undefined
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

/** Runs until the signal aborts. @throws IdentityError saying why the server cannot start */
export async function runServer(config: ServerConfig, deps: ServerDeps): Promise<void> {
  const { log, clock, signal, onReady, version = 'unknown' } = deps
  const startedAt = clock.now()
  const logLevel = createLevelSwitch(log, config.log.level)
  log.info({ trust_domain: config.trustDomain, data_dir: config.dataDir }, 'Configured')
  for (const warning of config.warnings) log.warn(warning)
  prepareDataDir(config.dataDir)

  await using telemetry = await serveMetrics({
    ...{ config: config.telemetry, trustDomain: config.trustDomain, prefix: 'spire_server' },
    ...{ version, clock, log },
  })
  const { metrics } = telemetry
  const process: Process = { startedAt, logLevel, metrics }
  await using opened = await openStore(config.dataStore, {
    ...{ clock, random: systemRandom, log, holder: `${hostname()}:${config.bindPort}` },
  })
  const turns = observeTurns(opened.turns, { log, metrics })
  const store = { ...meterStore(opened, metrics), turns }
  await using joined = await orStopped(joinServers(config, { ...deps, store, version }), signal)
  if (joined === undefined) return
  await using upstream = await openUpstream(config.upstream, {
    ...{ trustDomain: config.trustDomain, clock, randomBytes, signal },
    onFailure: (err) => log.error({ err }, 'Upstream authority did not answer'),
  })
  await using signed = await openLedger({
    ...{ dataDir: config.dataDir, store: store.caJournal, serverKey: joined.key, clock, log },
  })
  const opening = openAuthorities(config, {
    ...{ store, metrics, upstream, signed, joined, clock, signal, log },
  })
  const authorities = await orStopped(opening, signal)
  if (authorities === undefined) return
  await using views = await openViews(config, store, authorities, { ...deps, metrics })
  await using federation = await openFederation(config.federation, {
    ...{ trustDomain: config.trustDomain, clock, metrics, log },
    ...{ federation: store.federation, bundles: store.bundles, turns },
    ...{ dataDir: config.dataDir, random: systemRandom, randomBytes },
    ...{ bundle: authorities.bundle.current, serverSvid: authorities.serverSvid },
  })
  await using publishing = await openPublishing(config.publishers, {
    ...{ bundle: authorities.bundle, turns, clock, random: systemRandom, log },
  })
  const privileged = privilegedIds(views.index, config.adminIds)
  await using clusters = await openClusterServices(config, {
    ...{ ...config, ...authorities, ...views, privileged, store, x509: authorities.ca.x509 },
    ...{ onRelationship: federation.changed.ring, randomUuid: randomUUID, clock, log },
    random: systemRandom,
  })
  await using mesh = await openMesh(config.mesh, {
    ...{ ...config, ...authorities, x509: authorities.ca.x509, index: views.index, privileged },
    ...{ metrics, random: systemRandom, randomBytes, randomUuid: randomUUID, clock, log },
  })
  await using loops = runLoops([
    signed.stay,
    ...authorities.loops,
    ...views.loops,
    ...federation.loops,
    ...publishing.loops,
    ...clusters.loops,
    ...mesh.loops,
    ...pruneLoops(config, { ...deps, store, random: systemRandom, metrics }),
  ])
  await Promise.race([views.ready, loops.failed, aborted(signal)])
  if (signal.aborted) return

  await using apis = await serve(config, store, { ...authorities, federation }, views, {
    ...{ ...deps, ...process, meshStatus: mesh.status },
  })
  await using _health = await openHealth(config, store, authorities, deps)
  onReady?.({ port: apis.port })
  await Promise.race([loops.failed, aborted(signal)])
  log.info('Stopping')
}

type Federated = { readonly federation: Pick<Federation, 'refresher' | 'changed'> }

function serve(
  config: ServerConfig,
  store: Store,
  {
    bundle,
    ca,
    upstream,
    issuer,
    serverSvid,
    federation: fetched,
    ...open
  }: OpenAuthorities & Federated,
  { index, watchers, nodes, federatedView }: Awaited<ReturnType<typeof openViews>>,
  {
    log,
    clock,
    signal,
    reload,
    startedAt,
    logLevel,
    metrics,
    meshStatus,
  }: ServerDeps & Process & MeshServiceDeps,
) {
  const { trustDomain, adminIds, bindAddress, bindPort, socketPath, disableJwtSvids } = config
  const { entries, joinTokens, bundles, federation } = store
  const configuredAdmins = new Set(adminIds)
  gaugeEntryCache(index, metrics)
  return serveApis(
    {
      trustDomain,
      attestors: reloadAttestors(config, {
        open: (configs) =>
          configuredAttestors(configs, {
            ...{ trustDomain, joinTokens, clock, randomBytes },
            bundle: bundle.current,
          }),
        ...{ reload, log },
      }),
      nodes: { ...store.nodes, find: nodes.find },
      limits: openRateLimits(config.rateLimit, clock),
      standing: {
        isConfiguredAdmin: (id) => configuredAdmins.has(id),
        isAdmin: index.isAdmin,
        isDownstream: (id) => index.downstreamEntry(id) !== undefined,
      },
      ...{ entries, joinTokens, bundles, federation, localBundle: bundle, issuer, index, watchers },
      ...{ authorities: ca, serverSvid, startedAt, logLevel, federatedView },
      ...{ rotations: open.rotations, ledger: open.ledger },
      ...{ handed: open.handed, servers: open.servers },
      upstreamRoots: upstream && operateRoots(ca.x509, bundle, log),
      publishUpstream: async (key) => await upstream?.publishJwtKey(key),
      ...{ refresher: fetched.refresher, relationshipsChanged: fetched.changed },
      ...{ disableJwtSvids, randomUuid: randomUUID, clock, log, stopping: signal },
      ...{ metrics, meshStatus, hasAuditLog: config.hasAuditLog },
      ...backupDeps(config, store, open.servers.here, clock),
      hasAgentIdSelector: config.hasAgentIdSelector,
    },
    {
      ...{ bindAddress, bindPort, socketPath, serverSvid, trustDomain, clock },
      adminIds: configuredAdmins,
      ...{ trustedProxies: config.trustedProxies, requirePqKem: config.requirePqKem },
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

/** @returns undefined when it failed because the server is to stop: an upstream authority or other servers were waited for */
async function orStopped<T>(opening: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await opening
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}
