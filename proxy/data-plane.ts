/**
 * What carries connections, in one thread: listeners, judges, the connections that are open and what is counted of them. A proxy has one, or one in each of its
 * workers; it listens when there are an identity and a policy, and not before.
 */
import { randomBytes } from 'node:crypto'
import type { Log } from '../log/open-log.ts'
import type { Clock } from '../spiffe/clock.ts'
import { runLoops } from '../spiffe/running-loops.ts'
import type { ProxyConfig } from './config.ts'
import { type Connections, createConnections } from './enforce/connections.ts'
import { openProviders } from './ext-authz/providers.ts'
import { followChanges } from './follow-changes.ts'
import { openDeadlines } from './http/deadlines.ts'
import type { ProxyIdentity } from './identity/identity.ts'
import { type Judges, openJudges, type Sources } from './judges.ts'
import { type Listeners, openListeners } from './listeners.ts'
import type { FetchDocument } from './policy-source/fetch-document.ts'
import { openTokenKeys, type TokenKeys } from './policy-source/issuer-keys.ts'
import type { ProxyContext } from './proxy.ts'
import { readCaFile } from './read-ca-file.ts'
import type { Self } from './self.ts'
import type { AccessLog } from './telemetry/access-log.ts'
import { openIstioMetrics } from './telemetry/istio-metrics.ts'
import { createLogLimit } from './telemetry/log-limit.ts'
import { createPlaintextCallers } from './telemetry/plaintext-callers.ts'
import { traceIds } from './tracing/trace-ids.ts'
import { openTracing } from './tracing/tracing.ts'

export interface DataPlaneOptions extends Sources {
  readonly config: ProxyConfig
  readonly self: Self
  readonly accessLog: AccessLog
  /** Of token issuers. */
  readonly fetch: FetchDocument
  readonly clock: Clock
  readonly log: Log
}

export interface DataPlane extends Pick<Judges, 'engine' | 'workloads'>, AsyncDisposable {
  readonly context: ProxyContext
  readonly tokenKeys: TokenKeys
  readonly listeners: Listeners
  /** Rejects when it cannot go on. */
  readonly failed: Promise<never>
  /** Takes no more connections, lets those that are open end, and ends the rest when the time is over. */
  drain(): Promise<void>
}

/** How often open connections are counted and looked through for idle ones. */
const SWEEP_MS = 5_000
/** Connections that are cut off have this long to tell the access log. */
const LAST_WORDS_MS = 1_000
const JWKS_CA_KEY = 'proxy.jwks.ca_file'

/** @throws IdentityError CONFIG_INVALID when an address or a file cannot be had; as `openJudges` */
export async function openDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { config, clock, log, fetch, identities } = options
  await using opening = new AsyncDisposableStack()
  const ticking = new AbortController()
  opening.defer(() => ticking.abort())
  const untraced = newContext(config, { ...options, identity: identities.own }, ticking.signal)
  const context = await withTracing(untraced, config, opening)
  const { jwksCaFile } = config
  const ca = jwksCaFile === undefined ? undefined : readCaFile(JWKS_CA_KEY, jwksCaFile)
  const providers = opening.use(
    openProviders({
      ...{ providers: config.mesh.extensionProviders, clock, log, logLimit: context.logLimit },
      socketMark: context.socketMark,
    }),
  )
  const tokenKeys = opening.use(openTokenKeys({ fetch, ca, clock, log }))
  const { verify } = tokenKeys
  const judges = opening.use(await openJudges({ ...options, context, providers, verify }))
  const { engine, workloads } = judges
  opening.use(followChanges(workloads.all, tokenKeys))
  const listeners = opening.use(
    await openListeners({ ...workloads.of(undefined), config, workloads }),
  )
  const loops = opening.use(runLoops([(stop) => sweep(context.connections, config, clock, stop)]))
  const all = opening.move()
  return {
    ...{ context, engine, workloads, tokenKeys, listeners, failed: loops.failed },
    drain: () => drainAll(listeners, context, config.drainTimeoutMs),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** What waits for the collector is brought away after the last connection has ended. */
async function withTracing(
  context: ProxyContext,
  { tracing }: ProxyConfig,
  opening: AsyncDisposableStack,
): Promise<ProxyContext> {
  if (tracing === undefined) return context
  return { ...context, tracing: opening.use(await openTracing(tracing, context)) }
}

export interface ContextDeps {
  readonly identity: ProxyIdentity
  readonly accessLog: AccessLog
  readonly clock: Clock
  readonly log: Log
}

/** @param ticking ends its timers when it aborts */
export function newContext(
  config: ProxyConfig,
  { identity, accessLog, clock, log }: ContextDeps,
  ticking: AbortSignal,
): ProxyContext {
  return {
    ...{ identity, accessLog, clock, log },
    connections: createConnections(),
    logLimit: createLogLimit(clock),
    metrics: openIstioMetrics(),
    plaintextCallers: createPlaintextCallers(),
    deadlines: openDeadlines(clock, ticking),
    connectTimeoutMs: config.connectTimeoutMs,
    detectionTimeoutMs: config.detectionTimeoutMs,
    // Of a listener, in all workers together.
    maxConnections: Math.ceil(config.maxConnections / config.workers),
    isShared: config.workers > 1,
    socketMark: config.capture?.mark,
    randomBytes,
    traceIds: traceIds(randomBytes),
  }
}

async function sweep(
  connections: Connections,
  { tcpIdleTimeoutMs }: ProxyConfig,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(SWEEP_MS, signal)
    connections.sweepIdle(clock.now(), tcpIdleTimeoutMs)
  }
}

async function drainAll(
  listeners: Listeners,
  { connections, log, clock }: ProxyContext,
  timeoutMs: number,
): Promise<void> {
  log.info({ connections: connections.size }, 'Draining')
  listeners.stop()
  connections.drain()
  const done = new AbortController()
  const empty = connections.empty().then(() => done.abort())
  await clock.sleep(timeoutMs, done.signal)
  if (connections.size > 0) {
    log.warn({ connections: connections.size }, 'Connections are cut off: they did not end in time')
    connections.closeAll('the proxy stops')
    await Promise.race([empty, clock.sleep(LAST_WORDS_MS)])
  }
}
