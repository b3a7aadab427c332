/**
 * The proxy process: everything is opened here, in the order in which it depends on each other, and closed in reverse.
 * Nothing listens before there are an identity and a policy. When `runProxy` resolves nothing of it is left.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { showAddress } from '../config/address.ts'
import type { Log } from '../log/open-log.ts'
import type { Clock } from '../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { type Loop, runLoops } from '../spiffe/running-loops.ts'
import { serveHealth } from '../telemetry/serve-health.ts'
import { serveMetrics } from '../telemetry/serve-metrics.ts'
import { serveAdmin } from './admin/serve-admin.ts'
import type { ProxyConfig } from './config.ts'
import { type Connections, createConnections } from './enforce/connections.ts'
import { createEngine } from './enforce/engine.ts'
import { createKillSwitch } from './enforce/kill-switch.ts'
import { openProviders } from './ext-authz/providers.ts'
import { followChanges } from './follow-changes.ts'
import { healthChecks } from './health-checks.ts'
import { openDeadlines } from './http/deadlines.ts'
import type { ProxyIdentity } from './identity/identity.ts'
import { type Identities, openIdentities } from './identity/open-identity.ts'
import { type Listeners, openListeners } from './listeners.ts'
import { openNodeWorkloads } from './node-workloads.ts'
import { fetchDocument } from './policy-source/fetch-document.ts'
import { openTokenKeys } from './policy-source/issuer-keys.ts'
import { noPolicies } from './policy-source/no-policies.ts'
import { openPolicyDirectory } from './policy-source/policy-directory.ts'
import type { PolicySource } from './policy-source/policy-source.ts'
import type { ProxyContext } from './proxy.ts'
import { readSelf, type Self } from './self.ts'
import { type AccessLog, openAccessLog } from './telemetry/access-log.ts'
import { openIstioMetrics } from './telemetry/istio-metrics.ts'
import { createLogLimit } from './telemetry/log-limit.ts'
import { createPlaintextCallers } from './telemetry/plaintext-callers.ts'

export interface ProxyDeps {
  readonly log: Log
  readonly clock: Clock
  /** Aborts when the proxy is to drain and end. */
  readonly signal: AbortSignal
  readonly version?: string
  /** It takes connections. */
  readonly onReady?: (listeners: Listeners) => void
}

/** How often open connections are counted and looked through for idle ones. */
const SWEEP_MS = 5_000

/** Runs until the signal aborts. @throws IdentityError saying why the proxy cannot start */
export async function runProxy(config: ProxyConfig, deps: ProxyDeps): Promise<void> {
  const { log, clock, signal } = deps
  for (const warning of config.warnings) log.warn(warning)
  let identities: Identities
  try {
    identities = await openIdentities({ config, clock, log, signal })
  } catch (error) {
    if (signal.aborted) return
    throw error
  }
  await using open = identities
  const self = readSelf(config, open.own.current().defaultSvid.id, hostname())
  log.info(
    { ...self.workload, listeners: config.inbound.length + config.outbound.length },
    'Configured',
  )
  await using accessLog = await openAccessLog(config.accessLog, log)
  const reopen = () =>
    void accessLog.reopen().catch((err) => log.error({ err }, 'Access log not reopened'))
  process.on('SIGUSR2', reopen)
  try {
    await serve(config, deps, { identities: open, accessLog, self })
  } catch (error) {
    const isStopped = error instanceof IdentityError && error.code === 'CANCELED'
    if (!signal.aborted || !isStopped) throw error
  } finally {
    process.off('SIGUSR2', reopen)
    log.info('Stopped')
  }
}

interface Opened {
  readonly identities: Identities
  readonly accessLog: AccessLog
  readonly self: Self
}

async function serve(config: ProxyConfig, deps: ProxyDeps, opened: Opened): Promise<void> {
  const { log, clock, signal, version = 'unknown' } = deps
  const { identities, self } = opened
  const ticking = new AbortController()
  using _ticking = { [Symbol.dispose]: () => ticking.abort() }
  const context = newContext(config, deps, opened, ticking.signal)
  await using _metrics = await serveMetrics({
    ...{ config: config.telemetry, prefix: 'steeple_proxy', trustDomain: self.mesh.trustDomain },
    ...{ version, clock, log, further: context.metrics.text },
  })
  const { source, follow } = await openSource(config, self, deps)
  const killSwitch = createKillSwitch(clock, log.child({ component: 'kill_switch' }))
  using providers = openProviders({
    ...{ providers: config.mesh.extensionProviders, clock, log, logLimit: context.logLimit },
    socketMark: context.socketMark,
  })
  const engineOf = ({ workload }: Self, identity: ProxyIdentity) =>
    createEngine({
      ...{ source, killSwitch, workload, providers, log },
      self: () => identity.current().defaultSvid.id,
    })
  using engine = engineOf(self, identities.own)
  const ca = config.jwksCaFile === undefined ? undefined : readCa(config.jwksCaFile)
  using tokenKeys = openTokenKeys({ fetch: fetchDocument, ca, clock, log })
  using workloads = await openNodeWorkloads({
    ...{ config, identities, createEngine: engineOf },
    own: { context, engine, self, verify: tokenKeys.verify },
  })
  using _changes = followChanges(workloads.all, tokenKeys)
  await using listeners = await openListeners({ ...workloads.of(undefined), config, workloads })
  await using loops = runLoops([follow, (stop) => sweep(context.connections, config, clock, stop)])
  const drain = new AbortController()
  await using _admin =
    config.admin === undefined
      ? undefined
      : await serveAdmin({
          ...{ address: config.admin, context, engine, source, killSwitch, tokenKeys, self },
          ...{ listeners, inbound: config.inbound, since: clock.now(), version },
          drain: () => drain.abort(),
        })
  await using _health =
    config.health === undefined
      ? undefined
      : await serveHealth(config.health, { checks: healthChecks(workloads.all, clock), clock, log })
  for (const { name, address } of listeners.open) {
    log.info({ listener: name, address: showAddress(address) }, 'Listening')
  }
  deps.onReady?.(listeners)
  await Promise.race([loops.failed, aborted(AbortSignal.any([signal, drain.signal]))])
  await drainAll(listeners, context.connections, config.drainTimeoutMs, deps)
}

function newContext(
  config: ProxyConfig,
  { clock, log }: ProxyDeps,
  { identities, accessLog }: Opened,
  ticking: AbortSignal,
): ProxyContext {
  return {
    ...{ identity: identities.own, accessLog, clock, log },
    connections: createConnections(),
    logLimit: createLogLimit(clock),
    metrics: openIstioMetrics(),
    plaintextCallers: createPlaintextCallers(),
    deadlines: openDeadlines(clock, ticking),
    connectTimeoutMs: config.connectTimeoutMs,
    detectionTimeoutMs: config.detectionTimeoutMs,
    maxConnections: config.maxConnections,
    socketMark: config.capture?.mark,
    randomBytes,
  }
}

async function openSource(
  { policyDir }: ProxyConfig,
  { mesh }: Self,
  { clock, log }: ProxyDeps,
): Promise<{ readonly source: PolicySource; readonly follow: Loop }> {
  if (policyDir === undefined) {
    return { source: noPolicies(mesh, clock), follow: async () => {} }
  }
  const component = log.child({ component: 'policies' })
  const source = await openPolicyDirectory({ path: policyDir, mesh, clock, log: component })
  return { source, follow: source.follow }
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

/** Takes no more connections, lets those that are open end, and ends the rest when the time is over. */
async function drainAll(
  listeners: Listeners,
  connections: Connections,
  timeoutMs: number,
  { log, clock }: ProxyDeps,
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
    await Promise.race([empty, clock.sleep(1_000)])
  }
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const why = `cannot read proxy.jwks.ca_file ${JSON.stringify(path)}: ${reasonOf(error)}`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, 'abort')
}
