/**
 * The agent process: everything is opened here, in the order in which it depends on each other, and closed in
 * reverse. When `runAgent` resolves nothing of it is left but what is on disk.
 */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { prepareDataDir } from '../disk/data-dir.ts'
import type { Log } from '../log/open-log.ts'
import { prepareSocketPath } from '../proto/unix-listener.ts'
import { IdentityError } from '../spiffe/error.ts'
import { runLoops } from '../spiffe/running-loops.ts'
import { serveHealth } from '../telemetry/serve-health.ts'
import { serveMetrics } from '../telemetry/serve-metrics.ts'
import type { Agent, AgentDeps, RunningAgent } from './agent.ts'
import { followLoop, identitySource, postStatus, renewLoop, svidLoops } from './agent-loops.ts'
import { type Attest, attestWith } from './attest/attest.ts'
import { configuredAttestors } from './attest/configured-attestors.ts'
import { type DiskCache, openDiskCache } from './cache/disk-cache.ts'
import { knowingOnly, withAuthorities } from './cache/knowledge.ts'
import { createWorkloadCache } from './cache/workload-cache.ts'
import type { AgentConfig, AgentKeyManager } from './config.ts'
import { healthChecks } from './health/health-checks.ts'
import { openDiskKeys } from './keys/disk.ts'
import type { KeyStore } from './keys/key-store.ts'
import { openMemoryKeys } from './keys/memory.ts'
import type { Attested } from './node/attest.ts'
import { bootstrapTrust } from './node/bootstrap.ts'
import { configuredAttestor } from './node/configured-attestor.ts'
import { joinTrustDomain } from './node/join.ts'
import { type Membership, openMembership } from './node/membership.ts'
import { isAboutTheAgent } from './node/refusal.ts'
import { connectServer } from './node/server-connection.ts'
import { createStanding } from './node/standing.ts'
import { type NodeState, openNodeState } from './node/state.ts'
import { prepareSocketDir } from './socket-dir.ts'
import {
  gaugeCache,
  meterAttest,
  meterAttestor,
  observeWorkloadApi,
} from './telemetry/meter-agent.ts'
import { serveWorkloadApi } from './workload-api/serve.ts'

const RANDOM_STEPS = 2 ** 32

/** Runs until the signal aborts. @throws IdentityError saying why the agent cannot start, or not go on */
export async function runAgent(config: AgentConfig, deps: AgentDeps): Promise<void> {
  const { log, clock, signal } = deps
  log.info({ trust_domain: config.trustDomain, data_dir: config.dataDir }, 'Configured')
  for (const warning of config.warnings) log.warn(warning)
  prepareDataDir(config.dataDir)
  prepareSocketDir(config.socketPath)
  // Before anything else: two agents on one data_dir would take each other's SVID away.
  await prepareSocketPath(config.socketPath)
  const keys = await openKeys(config.keyManager)
  const disk = openDiskCache(config.dataDir, { clock, log })
  // With keys in memory no private key may be on the disk, not even one of an earlier run.
  if (!keys.persistent) await disk.clear()
  const state = openNodeState(config.dataDir)
  const random = () => randomInt(RANDOM_STEPS) / RANDOM_STEPS
  await using telemetry = await serveMetrics({
    ...{ config: config.telemetry, trustDomain: config.trustDomain, prefix: 'spire_agent' },
    ...{ version: deps.version ?? 'unknown', clock: deps.clock, log },
  })
  const agent = { config, deps, keys, disk, random, metrics: telemetry.metrics }
  const attested = await join(agent, await state.read())
  if (attested === undefined) return
  const membership = await openMembership(state, attested)
  try {
    await serve(agent, attested, membership)
  } catch (error) {
    if (error instanceof IdentityError && isAboutTheAgent(error.code)) {
      await leave(membership, disk, log)
    }
    throw error
  } finally {
    if (signal.aborted) log.info('Stopped')
  }
}

/** What cannot be removed must not hide why the agent stops; at the next start the server refuses it again. */
async function leave(membership: Membership, disk: DiskCache, log: Log): Promise<void> {
  for (const removed of await Promise.allSettled([membership.resign(), disk.clear()])) {
    if (removed.status === 'fulfilled') continue
    log.error({ err: removed.reason }, 'What this agent was cannot be removed from data_dir')
  }
}

async function openKeys(config: AgentKeyManager): Promise<KeyStore> {
  return config.kind === 'disk' ? await openDiskKeys(config.directory) : openMemoryKeys()
}

/** @returns undefined when the agent was stopped meanwhile */
async function join(
  { config, deps, keys, random, metrics }: Agent,
  state: NodeState,
): Promise<Attested | undefined> {
  const { log, clock, signal } = deps
  const { trustDomain } = config
  const attestor = configuredAttestor(config)
  try {
    return await joinTrustDomain(
      {
        server: { host: config.serverAddress, port: config.serverPort },
        trustDomain,
        attestor,
        keys,
        state,
        isInsecure: config.bootstrap.kind === 'insecure',
        bootstrapTrust: () =>
          bootstrapTrust(config.bootstrap, { trustDomain, fetch, clock, signal }),
        clock,
        random,
        log: log.child({ component: 'node' }),
        measureAttestation: (attestation) =>
          metrics.measure('node_attestor_new_svid', attestation, { attestor: attestor.type }),
      },
      signal,
    )
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

/** The agent with its identity: follows the server, keeps SVIDs, and serves workloads. */
async function serve(agent: Agent, attested: Attested, membership: Membership): Promise<void> {
  const { config, deps, metrics } = agent
  const { log, clock, signal } = deps
  const { cache, isRemembered } = await openCache(agent, attested)
  gaugeCache(cache, metrics)
  const standing = createStanding()
  using connection = connectServer(
    {
      ...{ host: config.serverAddress, port: config.serverPort, clock },
      trustDomain: config.trustDomain,
      trust: { kind: 'bundle', bundle: () => cache.knowledge().bundle },
    },
    attested.svid,
  )
  const inSync = Promise.withResolvers<void>()
  if (isRemembered) inSync.resolve()
  const open: RunningAgent = { ...agent, membership, cache, connection, standing }
  await using loops = runLoops([
    followLoop(open, inSync.resolve),
    renewLoop(open),
    ...svidLoops(open),
    (stop) => postStatus(open, stop),
    ...(agent.keys.persistent
      ? [(stop: AbortSignal) => agent.disk.follow(attested.svid.id, cache, stop)]
      : []),
  ])
  const stopped = aborted(signal)
  await Promise.race([inSync.promise, loops.failed, stopped])
  if (signal.aborted) return
  const source = identitySource(open)
  await using _api = await serveWorkloadApi({
    path: config.socketPath,
    source,
    attest: attestorOf(agent),
    observe: observeWorkloadApi(metrics),
    clock,
    log: log.child({ component: 'endpoints' }),
    allowUnauthenticatedVerifiers: config.allowUnauthenticatedVerifiers,
    allowedForeignJwtClaims: config.allowedForeignJwtClaims,
  })
  log.info({ address: config.socketPath }, 'Serving the Workload API')
  await using _health =
    config.health === undefined
      ? undefined
      : await serveHealth(config.health, {
          ...{ checks: healthChecks(source), clock, log: log.child({ component: 'health' }) },
        })
  deps.onReady?.()
  await Promise.race([loops.failed, stopped])
  log.info('Stopping')
}

function attestorOf({ config, deps, metrics }: Agent): Attest {
  const attestors = configuredAttestors(config.workloadAttestors)
  const attest = attestWith({
    attestors: attestors.map((attestor) => meterAttestor(attestor, metrics)),
    log: deps.log.child({ component: 'workload_attestor' }),
  })
  return meterAttest(attest, metrics)
}

async function openCache(
  { config, deps, keys, disk, random }: Agent,
  { svid, bundle, isNew }: Attested,
) {
  const { clock, log } = deps
  const policy = { availabilityTargetSeconds: config.availabilityTargetSeconds }
  const context = { now: clock.now(), policy, random }
  const remembered = keys.persistent ? await disk.load(svid.id, context) : undefined
  const svids = remembered?.svids ?? []
  if (remembered !== undefined) {
    log.info({ entries: remembered.known.entries.size, svids: svids.length }, 'Cache loaded')
  }
  const base = remembered?.known ?? knowingOnly(bundle)
  const known = { ...base, bundle: isNew ? bundle : withAuthorities(base.bundle, bundle) }
  const cache = createWorkloadCache({ clock, maxSvids: config.x509SvidCacheMaxSize, known, svids })
  return { cache, isRemembered: remembered !== undefined }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, 'abort')
}
