/**
 * What the running agent does all the time, each a loop of its own: follow the server, keep its own SVID, keep those
 * of the workloads. Wiring only; what they do is in the files they are from.
 */
import type { Bundle } from '../spiffe/bundle.ts'
import type { Loop } from '../spiffe/running-loops.ts'
import { authorityIdOf } from '../spiffe/x509/key-id.ts'
import type { RunningAgent } from './agent.ts'
import type { IdentitySource } from './cache/identity.ts'
import { createJwtSvids } from './cache/jwt-svids.ts'
import type { Update } from './cache/knowledge.ts'
import { serveIdentities } from './cache/serve-identities.ts'
import { keepX509Svids } from './cache/x509-svids.ts'
import { failureFields } from './failure-fields.ts'
import type { AgentSvid } from './node/agent-svid.ts'
import { attestNode } from './node/attest.ts'
import { callUnary } from './node/call.ts'
import { configuredAttestor } from './node/configured-attestor.ts'
import { createDiskDebt } from './node/disk-debt.ts'
import { keepRenewed } from './node/renew.ts'
import { connectServer } from './node/server-connection.ts'
import { signJwtWith, signX509With } from './node/sign-svids.ts'
import { followServer } from './sync/follow.ts'
import { meterSigning } from './telemetry/meter-agent.ts'
import { serverOf } from './trust.ts'

const UNWRITTEN =
  'The renewed agent SVID cannot be written to data_dir: it is used from memory, and a restart of the agent would be without it; make room on the disk'
const FETCH_ENTRIES = 'manager_sync_fetch_entries_updates'

export function followLoop(open: RunningAgent, onFirstSync: () => void): Loop {
  const { config, deps, cache, connection, standing, sync, distrust, random, metrics } = open
  const { clock } = deps
  const log = deps.log.child({ component: 'sync' })
  let isInSync = false
  return (stop) =>
    followServer(
      {
        trustDomain: config.trustDomain,
        usesSync: config.usesSyncEntries,
        knowledge: cache.knowledge,
        apply: (update) => applyUpdate(open, update),
        onSkipped: (error, { entryId, trustDomain }) => {
          const fields = { ...failureFields(error), entry_id: entryId, trust_domain: trustDomain }
          log.warn(fields, 'Left out what cannot be used')
        },
        connection,
        standing,
        syncIntervalMs: config.syncIntervalMs,
        hasNoSvids: () => cache.svids().size === 0,
        onInSync(mode) {
          sync.succeeded()
          distrust.succeeded()
          if (!isInSync) log.info({ mode }, 'In sync with the server')
          if (!isInSync) cache.news.tell() // what failed while the server was away is tried again now
          if (!isInSync) standing.bell.ring() // the agent's own SVID too
          isInSync = true
          onFirstSync()
        },
        measurePoll: (poll) => metrics.measure(FETCH_ENTRIES, poll),
        onFailure(error, retryMs) {
          sync.failed(error)
          distrust.failed(error)
          isInSync = false
          const fields = { ...failureFields(error), retry_ms: Math.round(retryMs) }
          log.warn(fields, 'Not in sync with the server; workloads are served from the cache')
        },
        clock,
        random,
      },
      stop,
    )
}

function applyUpdate(
  { cache, connection, standing, sync, membership, deps, metrics }: RunningAgent,
  update: Update,
): void {
  const { bundle: before } = cache.knowledge()
  // What is pushed is an update that was fetched; polls are counted where they are made.
  const ended = update.kind === 'changes' ? metrics.call(FETCH_ENTRIES) : undefined
  cache.apply(update)
  sync.succeeded()
  ended?.()
  const { bundle } = cache.knowledge()
  if (bundle === before) return
  standing.bell.ring() // the agent's own SVID may be tainted now
  // A connection that a revoked authority vouched for must not go on.
  if (hasLost(before, bundle)) connection.renew(connection.lease())
  membership.trust(bundle).catch((err: unknown) => {
    deps.log.error({ err }, 'The trust bundle cannot be written to data_dir')
  })
}

function hasLost(before: Bundle, now: Bundle): boolean {
  const left = new Set(now.x509Authorities.map(({ der }) => authorityIdOf(der)))
  return before.x509Authorities.some(({ der }) => !left.has(authorityIdOf(der)))
}

export function renewLoop(open: RunningAgent): Loop {
  const { config, deps, keys, membership, cache, connection, standing, random, metrics } = open
  const { clock } = deps
  const log = deps.log.child({ component: 'node' })
  const { trustDomain } = config
  const bundle = () => cache.knowledge().bundle
  const attestor = configuredAttestor(config)
  const takeOver = (svid: AgentSvid) => {
    connection.replace(svid)
    log.info({ spiffe_id: svid.id, expires_at: svid.expiresAt }, 'Agent SVID renewed')
  }
  const debt = createDiskDebt({
    clock,
    onPaid: () => log.info('The renewed agent SVID has been written to data_dir'),
    onFailure: (err) => log.error({ err }, UNWRITTEN),
  })
  const renew: Loop = (stop) =>
    keepRenewed(
      {
        connection,
        standing,
        advice: attestor.advice,
        keys,
        policy: { availabilityTargetSeconds: config.availabilityTargetSeconds },
        svid: membership.svid,
        bundle,
        async adopt(svid) {
          const isNew = svid !== membership.svid()
          await membership.adopt(svid)
          if (isNew) takeOver(svid)
        },
        hold(svid) {
          membership.hold(svid)
          takeOver(svid)
        },
        owe(name, write, err) {
          log.error({ err }, UNWRITTEN)
          debt.owe(name, write)
        },
        async attest(key, signal) {
          using own = connectServer({
            ...serverOf(config),
            trustDomain,
            trust: { kind: 'bundle', bundle },
            ...{ clock, random },
          })
          try {
            const options = { lease: own.lease(), attestor, key, trustDomain, clock, signal }
            const labels = { attestor: attestor.type }
            const attest = () => attestNode(options)
            return (await metrics.measure('node_attestor_new_svid', attest, labels)).svid
          } catch (error) {
            throw own.explain(error)
          }
        },
        measureRotation: (rotation) => metrics.measure('agent_svid_rotate', rotation),
        onFailure: (error) =>
          log.warn(failureFields(error), 'The agent SVID could not be renewed yet'),
        clock,
        random,
      },
      stop,
    )
  return (stop) => Promise.all([renew(stop), debt.pay(stop)])
}

export function svidLoops({
  config,
  deps,
  cache,
  connection,
  standing,
  random,
  metrics,
}: RunningAgent): readonly Loop[] {
  const { clock } = deps
  const log = deps.log.child({ component: 'svids' })
  const shared = {
    cache,
    sign: meterSigning(signX509With({ connection, standing, clock }), cache, clock, metrics),
    keyType: config.workloadKeyType,
    policy: { availabilityTargetSeconds: config.availabilityTargetSeconds },
    onObtained: (count: number) => log.debug({ count }, 'X509-SVIDs obtained'),
    onShort: ({ entryId, id }: { entryId: string; id: string }) =>
      log.warn(
        { entry_id: entryId, spiffe_id: id },
        'An X509-SVID lives too short for the availability_target, and is renewed at half of its life',
      ),
    onFailure: ({ error, entryId }: { error: unknown; entryId?: string }) => {
      const fields = { ...failureFields(error), entry_id: entryId }
      log.warn(fields, 'X509-SVIDs could not be fetched yet')
    },
    clock,
    random,
  }
  return [
    (stop) => keepX509Svids(shared, 'missing', stop),
    (stop) => keepX509Svids(shared, 'stale', stop),
  ]
}

export interface Identities {
  readonly source: IdentitySource
  /** How many are cached. */
  countJwtSvids(): number
}

export function openIdentities({
  config,
  deps,
  cache,
  connection,
  standing,
  random,
  metrics,
}: RunningAgent): Identities {
  const { clock, signal } = deps
  const sign = signJwtWith({ connection, standing, clock })
  const maxTokens = config.jwtSvidCacheMaxSize
  let kept = 0
  metrics.gauge('jwt_svid_cache_size', () => kept)
  const onKept = (count: number) => {
    kept = count
  }
  const renewalWaitMs = config.jwtSvidCacheHitTimeoutMs
  const shared = { cache, sign, maxTokens, renewalWaitMs, clock, random, signal, onKept }
  const source = serveIdentities(cache, createJwtSvids(shared))
  return { source, countJwtSvids: () => kept }
}

export async function postStatus(
  { connection, deps }: RunningAgent,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, version = 'unknown' } = deps
  const { agent } = connection.lease()
  try {
    await callUnary((done) => agent.PostStatus({ agent_version: version }, done), { clock, signal })
  } catch (error) {
    log.debug(failureFields(error), 'The server was not told the version of this agent')
  }
}
