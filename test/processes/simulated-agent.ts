/**
 * One agent without workloads: the agent's own code for everything that it says to servers, its memory as the only
 * place where anything is kept, and a record of when it knew what.
 */
import { apply, knowingOnly } from '../../agent/cache/knowledge.ts'
import { createWorkloadCache, type WorkloadCache } from '../../agent/cache/workload-cache.ts'
import { keepX509Svids, type X509SvidsDeps } from '../../agent/cache/x509-svids.ts'
import { type KeyStore, otherKeyId } from '../../agent/keys/key-store.ts'
import { openMemoryKeys } from '../../agent/keys/memory.ts'
import type { AgentSvid } from '../../agent/node/agent-svid.ts'
import { type Attested, attestNode } from '../../agent/node/attest.ts'
import type { NodeAttestor } from '../../agent/node/node-attestor.ts'
import { keepRenewed, type RenewDeps } from '../../agent/node/renew.ts'
import { connectServer, type ServerConnection } from '../../agent/node/server-connection.ts'
import type { ServerTrust } from '../../agent/node/server-credentials.ts'
import type { HostPort } from '../../agent/node/server-directory.ts'
import { signX509With } from '../../agent/node/sign-svids.ts'
import { createStanding, type Standing } from '../../agent/node/standing.ts'
import type { FeedDeps } from '../../agent/sync/feed.ts'
import { followServer } from '../../agent/sync/follow.ts'
import { pollOnce } from '../../agent/sync/poll.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { reasonOf } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import { generateKey } from '../../spiffe/key.ts'
import { systemRandom } from '../../spiffe/random.ts'
import { type Loop, runLoops } from '../../spiffe/running-loops.ts'
import { type EntryRecord, note, noteSvids } from './entry-records.ts'

/** `push`: as our agent. `polling`: SyncAuthorizedEntries at every interval, as SPIRE's. */
export type Feed = 'push' | 'polling'

export interface SimulatedAgentOptions {
  /** The first is tried first unless there is chance in it. */
  readonly servers: readonly [HostPort, ...HostPort[]]
  readonly bundle: Bundle
  readonly attestor: NodeAttestor
  readonly feed: Feed
  /** Between two polls. */
  readonly syncIntervalMs: number
  /** False: entries are followed, and no SVIDs asked for. */
  readonly keepsSvids: boolean
}

export interface SimulatedAgent extends AsyncDisposable {
  readonly id: string
  /** The server has told it everything, and nothing has failed since. */
  isInSync(): boolean
  /** Goes on with a new connection, to any of the servers, as if its server had asked for it. */
  move(): void
  /** How often it came into sync: with every new stream, or with the first poll after one that failed. */
  syncs(): number
  /** What failed and when, the latest last; the oldest are forgotten beyond 100. */
  failures(): readonly { readonly atMs: number; readonly reason: string }[]
  /** IDs of the entries that it is authorized for. */
  entryIds(): readonly string[]
  entry(entryId: string): EntryRecord | undefined
  /** Whether it could serve a valid SVID of this entry at this moment. */
  holds(entryId: string): boolean
  /** When the SVID of an entry was obtained last, and ends. */
  svid(entryId: string): { readonly obtainedMs: number; readonly expiresMs: number } | undefined
  /** When its own SVID ends; renewed by itself. */
  expiresMs(): number
  /** Why it has stopped by itself, e.g. because it was evicted. */
  stopped(): string | undefined
}

const MAX_FAILURES = 100
const clock = systemClock
const nowMs = () => clock.now().getTime()
const POLICY = { availabilityTargetSeconds: undefined }
const FIRST_RETRY_MS = 1_000
const MAX_SVIDS = 1_000_000

/** What one agent is made of. */
interface Parts {
  readonly options: SimulatedAgentOptions
  readonly cache: WorkloadCache
  readonly connection: ServerConnection
  readonly standing: Standing
  readonly trust: ServerTrust
  readonly records: Map<string, EntryRecord>
  readonly failures: { readonly atMs: number; readonly reason: string }[]
  readonly state: {
    svid: AgentSvid
    isInSync: boolean
    syncs: number
    stopped: string | undefined
  }
}

/** Attests, and goes on by itself. @throws IdentityError when it cannot attest */
export async function startSimulatedAgent(
  options: SimulatedAgentOptions,
  signal: AbortSignal,
): Promise<SimulatedAgent> {
  const keys = openMemoryKeys()
  const key = await generateKey('ec-p256')
  await keys.put(otherKeyId(undefined), key)
  const first = await attest(options, { kind: 'bundle', bundle: () => options.bundle }, key, signal)
  const known = knowingOnly(first.bundle)
  const cache = createWorkloadCache({ clock, maxSvids: MAX_SVIDS, svids: [], known })
  const trust: ServerTrust = { kind: 'bundle', bundle: () => cache.knowledge().bundle }
  const parts: Parts = {
    ...{ options, cache, trust, standing: createStanding(), records: new Map(), failures: [] },
    connection: connect(options, trust, first.svid),
    state: { svid: first.svid, isInSync: false, syncs: 0, stopped: undefined },
  }
  const svids = options.keepsSvids ? [svidLoop(parts, 'missing'), svidLoop(parts, 'stale')] : []
  const loops = runLoops([followLoop(parts), renewLoop(parts, keys), ...svids])
  loops.failed.catch((error: unknown) => {
    parts.state.stopped = reasonOf(error)
    parts.state.isInSync = false
  })
  return {
    ...told(parts),
    async [Symbol.asyncDispose]() {
      await loops[Symbol.asyncDispose]()
      parts.connection[Symbol.dispose]()
    },
  }
}

function told({
  cache,
  connection,
  records,
  failures,
  state,
}: Parts): Omit<SimulatedAgent, keyof AsyncDisposable> {
  return {
    id: state.svid.id,
    isInSync: () => state.isInSync,
    syncs: () => state.syncs,
    move: () => connection.renew(connection.lease()),
    failures: () => failures,
    entryIds: () => [...cache.knowledge().entries.keys()],
    entry: (entryId) => records.get(entryId),
    holds(entryId) {
      const entry = cache.knowledge().entries.get(entryId)
      return entry !== undefined && cache.servable(entry) !== undefined
    },
    svid(entryId) {
      const svid = cache.svids().get(entryId)
      return svid && { obtainedMs: svid.obtainedAt.getTime(), expiresMs: svid.expiresAt.getTime() }
    },
    expiresMs: () => state.svid.expiresAt.getTime(),
    stopped: () => state.stopped,
  }
}

function fail({ failures }: Parts, error: unknown): void {
  failures.push({ atMs: nowMs(), reason: reasonOf(error) })
  if (failures.length > MAX_FAILURES) failures.shift()
}

function followLoop(parts: Parts): Loop {
  const { options, cache, connection, standing, records, state } = parts
  const { syncIntervalMs, bundle } = options
  const feed: FeedDeps = {
    ...{ trustDomain: bundle.trustDomain, usesSync: true, clock, knowledge: cache.knowledge },
    apply(update) {
      note(records, apply(cache.knowledge(), update), cache)
      cache.apply(update)
    },
    onSkipped: (error) => fail(parts, error),
  }
  const onInSync = (mode?: Feed) => {
    if (!state.isInSync || mode === 'push') state.syncs += 1
    state.isInSync = true
  }
  const onFailure = (error: unknown) => {
    state.isInSync = false
    fail(parts, error)
  }
  const follow = {
    ...feed,
    connection,
    standing,
    random: systemRandom,
    syncIntervalMs,
    onInSync,
    onFailure,
  }
  return options.feed === 'polling'
    ? (stop) => poll(follow, stop)
    : (stop) => followServer({ ...follow, hasNoSvids: () => false }, stop)
}

function renewLoop(parts: Parts, keys: KeyStore): Loop {
  const { options, cache, connection, standing, state, trust } = parts
  const deps: RenewDeps = {
    ...{ connection, standing, keys, policy: POLICY, clock, random: systemRandom },
    bundle: () => cache.knowledge().bundle,
    svid: () => state.svid,
    async adopt(svid) {
      state.svid = svid
      connection.replace(svid)
    },
    // Memory never fails: nothing is held back, and nothing owed.
    hold: () => {},
    owe: () => {},
    attest: async (key, signal) => (await attest(options, trust, key, signal)).svid,
    onFailure: (error) => fail(parts, error),
    advice: options.attestor.advice,
  }
  return (stop) => keepRenewed(deps, stop)
}

function svidLoop(parts: Parts, want: 'missing' | 'stale'): Loop {
  const { cache, connection, standing, records } = parts
  const deps: X509SvidsDeps = {
    ...{ cache, policy: POLICY, clock, random: systemRandom, keyType: 'ec-p256' },
    sign: signX509With({ connection, standing, clock }),
    onObtained: () => noteSvids(records, cache),
    onFailure: ({ error }) => fail(parts, error),
  }
  return (stop) => keepX509Svids(deps, want, stop)
}

function connect(
  { servers, bundle }: SimulatedAgentOptions,
  trust: ServerTrust,
  svid?: AgentSvid,
): ServerConnection {
  const [{ host, port }, ...others] = servers
  const { trustDomain }: { readonly trustDomain: TrustDomain } = bundle
  return connectServer(
    { host, port, others, trustDomain, trust, clock, random: systemRandom },
    svid,
  )
}

async function attest(
  options: SimulatedAgentOptions,
  trust: ServerTrust,
  key: AgentSvid['key'],
  signal: AbortSignal,
): Promise<Attested> {
  const { attestor, bundle } = options
  using connection = connect(options, trust)
  try {
    const lease = connection.lease()
    const { trustDomain } = bundle
    return await attestNode({ lease, attestor, key, trustDomain, clock, signal })
  } catch (error) {
    throw connection.explain(error)
  }
}

interface Polling extends FeedDeps {
  readonly connection: ServerConnection
  readonly syncIntervalMs: number
  onInSync(): void
  onFailure(error: unknown): void
}

/** As SPIRE's agent: a poll at every interval, fewer of them while they fail. */
async function poll(polling: Polling, signal: AbortSignal): Promise<void> {
  const { connection, syncIntervalMs } = polling
  let retryMs = FIRST_RETRY_MS
  while (!signal.aborted) {
    const lease = connection.lease()
    try {
      await pollOnce(polling, { lease, signal })
      polling.onInSync()
      retryMs = FIRST_RETRY_MS
      await clock.sleep(syncIntervalMs * (0.9 + systemRandom() * 0.2), signal)
    } catch (error) {
      if (signal.aborted) return
      polling.onFailure(connection.explain(error))
      connection.leave(lease, error)
      await clock.sleep(retryMs * (0.5 + systemRandom()), signal)
      retryMs = Math.min(retryMs * 2, syncIntervalMs)
    }
  }
}
