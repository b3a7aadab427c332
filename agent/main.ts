/**
 * The agent process: everything is opened here, in the order in which it depends on each other, and closed in
 * reverse. When `runAgent` resolves nothing of it is left but what is on disk.
 */
import { prepareDataDir } from '../disk/data-dir.ts'
import { createLevelSwitch } from '../log/level-switch.ts'
import type { Log } from '../log/open-log.ts'
import { aborted } from '../spiffe/aborted.ts'
import { IdentityError } from '../spiffe/error.ts'
import { systemRandom } from '../spiffe/random.ts'
import { runLoops } from '../spiffe/running-loops.ts'
import { serveHealth } from '../telemetry/serve-health.ts'
import { serveMetrics } from '../telemetry/serve-metrics.ts'
import type { Agent, AgentDeps, RunningAgent } from './agent.ts'
import { followLoop, openIdentities, postStatus, renewLoop, svidLoops } from './agent-loops.ts'
import { configuredAttestors } from './attest/configured-attestors.ts'
import { requireOwnProc } from './attest/own-proc.ts'
import { openBroker } from './broker/open-broker.ts'
import { type DiskCache, openDiskCache } from './cache/disk-cache.ts'
import { knowingOnly, withAuthorities } from './cache/knowledge.ts'
import { createWorkloadCache } from './cache/workload-cache.ts'
import { clockLoop } from './clock-steps.ts'
import type { AgentConfig, AgentKeyManager } from './config.ts'
import { healthChecks } from './health/health-checks.ts'
import { openDiskKeys } from './keys/disk.ts'
import type { KeyStore } from './keys/key-store.ts'
import { openMemoryKeys } from './keys/memory.ts'
import type { Attested } from './node/attest.ts'
import { configuredAttestor } from './node/configured-attestor.ts'
import { createDistrust } from './node/distrust.ts'
import { joinTrustDomain } from './node/join.ts'
import { type Membership, openMembership } from './node/membership.ts'
import type { Rebootstrapped } from './node/rebootstrap-loop.ts'
import { isAboutTheAgent } from './node/refusal.ts'
import { connectServer } from './node/server-connection.ts'
import { createStanding } from './node/standing.ts'
import { type NodeStateStore, openNodeState, type TrustBegins } from './node/state.ts'
import { type Launch, prepareSockets, serveAdministrators, serveWorkloads } from './serve-apis.ts'
import { createSyncRecord } from './sync/sync-record.ts'
import { gaugeCache, meterEntries } from './telemetry/meter-agent.ts'
import { beginAnew, policyFor, rebootstrap, serverOf, trustFrom } from './trust.ts'

/** Runs until the signal aborts. @throws IdentityError saying why the agent cannot start, or not go on */
export async function runAgent(config: AgentConfig, deps: AgentDeps): Promise<void> {
  while ((await runOnce(config, deps)) === 'anew') {
    deps.log.info('The agent has rebootstrapped, and begins anew')
  }
}

/** @returns `anew` when the agent trusts its server anew, and nothing of what it had is of use any more */
async function runOnce(config: AgentConfig, deps: AgentDeps): Promise<'ended' | 'anew'> {
  const { log, clock, signal } = deps
  const logLevel = createLevelSwitch(log, config.log.level) // before the log has children
  logLevel.set(config.log.level)
  const startedAt = clock.now()
  log.info({ trust_domain: config.trustDomain, data_dir: config.dataDir }, 'Configured')
  for (const warning of config.warnings) log.warn(warning)
  prepareDataDir(config.dataDir)
  requireOwnProc()
  // Before anything else: two agents on one data_dir would take each other's SVID away.
  await prepareSockets(config)
  const keys = await openKeys(config.keyManager)
  const disk = openDiskCache(config.dataDir, { clock, log })
  // With keys in memory no private key may be on the disk, not even one of an earlier run.
  if (!keys.persistent) await disk.clear()
  const state = openNodeState(config.dataDir)
  await using telemetry = await serveMetrics({
    ...{ config: config.telemetry, trustDomain: config.trustDomain, prefix: 'spire_agent' },
    ...{ version: deps.version ?? 'unknown', clock: deps.clock, log },
  })
  const agent = { config, deps, keys, disk, random: systemRandom, metrics: telemetry.metrics }
  const begins = (await state.read()).trustBegins
  const attested = await join(agent, state)
  if (attested === undefined) return 'ended'
  const trustBegins = attested.isNew ? undefined : begins
  const membership = await openMembership(state, attested, trustBegins)
  try {
    const launch = { logLevel, startedAt }
    const next = await serve(agent, { attested, membership, trustBegins, ...launch })
    if (next === undefined) return 'ended'
    await beginAnew(agent, { membership, state }, next)
    return 'anew'
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
async function join(agent: Agent, store: NodeStateStore): Promise<Attested | undefined> {
  const { config, deps, keys, random, metrics } = agent
  const { log, clock, signal } = deps
  const { trustDomain } = config
  const state = await store.read()
  const isBound = state.svidChain.length > 0 && !state.reattestable
  const attestor = configuredAttestor(config)
  try {
    return await joinTrustDomain(
      {
        server: serverOf(config),
        trustDomain,
        attestor,
        keys,
        state,
        rebootstrap: policyFor(agent, !isBound),
        bootstrapTrust: trustFrom(agent),
        noteTrust: (trustBegins) => store.write({ ...state, trustBegins }),
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

interface Joined extends Launch {
  readonly attested: Attested
  readonly membership: Membership
  readonly trustBegins: TrustBegins | undefined
}

/**
 * The agent with its identity: follows the server, keeps SVIDs, and serves workloads.
 * @returns what to begin anew with; undefined when the agent was stopped
 */
async function serve(
  agent: Agent,
  { attested, membership, trustBegins, ...launch }: Joined,
): Promise<Rebootstrapped | undefined> {
  const { config, deps, metrics } = agent
  const { log, clock, signal } = deps
  const { cache, isRemembered } = await openCache(agent, attested)
  gaugeCache(cache, metrics)
  const standing = createStanding()
  using connection = connectServer(
    {
      ...{ ...serverOf(config), clock, random: agent.random },
      trustDomain: config.trustDomain,
      trust: { kind: 'bundle', bundle: () => cache.knowledge().bundle },
    },
    attested.svid,
  )
  const inSync = Promise.withResolvers<undefined>()
  if (isRemembered) inSync.resolve(undefined)
  const sync = createSyncRecord(clock)
  const note = (begins: TrustBegins | undefined) =>
    void membership.noteTrust(begins).catch((err: unknown) => {
      log.error({ err }, 'How far the trust in the server is cannot be written to data_dir')
    })
  const distrust = createDistrust({ begins: trustBegins, note, clock })
  const attestors = await configuredAttestors(config.workloadAttestors, {
    ...{ clock, log, random: agent.random },
    ownUid: process.getuid?.() ?? Number.NaN,
  })
  const kept = { membership, cache, connection, standing, sync, distrust, attestors }
  const open: RunningAgent = { ...agent, ...kept }
  const policy = policyFor(agent, attested.svid.reattestable)
  const anew = Promise.withResolvers<Rebootstrapped>()
  await using loops = runLoops([
    followLoop(open, () => inSync.resolve(undefined)),
    renewLoop(open),
    clockLoop(open),
    ...svidLoops(open),
    (stop) => postStatus(open, stop),
    ...attestors.flatMap(({ follow }) => follow ?? []),
    async (stop) => {
      const next = await rebootstrap(open, policy, stop)
      if (next !== undefined) anew.resolve(next)
    },
    ...(agent.keys.persistent
      ? [(stop: AbortSignal) => agent.disk.follow(attested.svid.id, cache, stop)]
      : []),
  ])
  const identities = openIdentities(open)
  await using _admin = await serveAdministrators(open, identities, launch)
  const stopped = aborted(signal)
  const early = await Promise.race([inSync.promise, loops.failed, stopped, anew.promise])
  if (signal.aborted) return undefined
  if (early !== undefined) return early
  await using _workloads = await serveWorkloads(open, identities)
  await using _broker = await openBroker(open, identities)
  await using _health =
    config.health === undefined
      ? undefined
      : await serveHealth(config.health, {
          ...{
            checks: healthChecks(identities.source),
            clock,
            log: log.child({ component: 'health' }),
          },
        })
  deps.onReady?.()
  const ended = await Promise.race([loops.failed, stopped, anew.promise])
  log.info('Stopping')
  return ended
}

async function openCache(
  { config, deps, keys, disk, random, metrics }: Agent,
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
  const cache = createWorkloadCache({
    ...{ clock, maxSvids: config.x509SvidCacheMaxSize, known, svids },
    onEntries: meterEntries(metrics),
  })
  return { cache, isRemembered: remembered !== undefined }
}
