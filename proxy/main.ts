/**
 * The proxy process: everything is opened here, in the order in which it depends on each other, and closed in reverse.
 * Nothing listens before there are an identity and a policy. When `runProxy` resolves nothing of it is left.
 */
import { hostname } from 'node:os'
import { showAddress } from '../config/address.ts'
import type { Log } from '../log/open-log.ts'
import { aborted } from '../spiffe/aborted.ts'
import type { Clock } from '../spiffe/clock.ts'
import { IdentityError } from '../spiffe/error.ts'
import { systemRandom } from '../spiffe/random.ts'
import { runLoops } from '../spiffe/running-loops.ts'
import { serveHealth } from '../telemetry/serve-health.ts'
import { serveMetrics } from '../telemetry/serve-metrics.ts'
import { serveAdmin } from './admin/serve-admin.ts'
import type { ProxyConfig } from './config.ts'
import { createKillSwitch } from './enforce/kill-switch.ts'
import { healthChecks, workerChecks } from './health-checks.ts'
import { type Identities, openIdentities } from './identity/open-identity.ts'
import { fetchDocument } from './policy-source/fetch-document.ts'
import { openPolicySource } from './policy-source/open-policy-source.ts'
import { askWorkload } from './probes/ask-workload.ts'
import { serveProbes } from './probes/serve-probes.ts'
import { readSelf, type Self, withLabelsOf } from './self.ts'
import { type OpenListener, openOwnPlane } from './serving-plane.ts'
import { type OpenAccessLog, openAccessLog } from './telemetry/access-log.ts'
import { issuerMetrics } from './telemetry/issuer-metrics.ts'
import { openWorkers } from './workers/open-workers.ts'

export interface ProxyDeps {
  readonly log: Log
  readonly clock: Clock
  /** Aborts when the proxy is to drain and end. */
  readonly signal: AbortSignal
  readonly version?: string
  /** It takes connections. */
  readonly onReady?: (listening: { readonly open: readonly OpenListener[] }) => void
}

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
  readonly accessLog: OpenAccessLog
  readonly self: Self
}

async function serve(config: ProxyConfig, deps: ProxyDeps, opened: Opened): Promise<void> {
  const { log, clock, signal, version = 'unknown' } = deps
  const { identities, accessLog } = opened
  let further = async () => '' // nothing is counted before anything is served
  await using _metrics = await serveMetrics({
    ...{
      config: config.telemetry,
      prefix: 'steeple_proxy',
      trustDomain: opened.self.mesh.trustDomain,
    },
    ...{ version, clock, log, further: () => further() },
  })
  await using policies = await openPolicySource(config, opened.self, {
    log,
    clock,
    signal,
    random: systemRandom,
  })
  const { source, follow } = policies
  const { workload } = opened.self
  const self = withLabelsOf(opened.self, source.workloadNow?.(workload) ?? workload)
  const killSwitch = createKillSwitch(clock, log.child({ component: 'kill_switch' }))
  const options = {
    ...{ config, self, identities, source, killSwitch, accessLog, clock, log },
    fetch: fetchDocument,
  }
  await using plane = await (config.workers > 1 ? openWorkers(options) : openOwnPlane(options))
  const { engine, workloads, look, open, workers } = plane
  further = async () => {
    const { metrics, issuers } = await look()
    return metrics + issuerMetrics(issuers, clock.now())
  }
  await using loops = runLoops([follow])
  const drain = new AbortController()
  await using _admin =
    config.admin === undefined
      ? undefined
      : await serveAdmin({
          ...{ address: config.admin, identity: identities.own, engine, source, killSwitch, self },
          ...{ listeners: open, inbound: config.inbound, since: clock.now(), version, log },
          ...{ look, workers, drain: () => drain.abort() },
        })
  const { probes } = config
  await using _probes =
    probes?.listen.kind === 'tcp'
      ? await serveProbes({ ...probes, listen: probes.listen, ask: askWorkload, clock, log })
      : undefined
  const checks = [...healthChecks(workloads.all, clock), ...workerChecks(plane)]
  await using _health =
    config.health === undefined
      ? undefined
      : await serveHealth(config.health, { checks, clock, log })
  for (const { name, address } of open) {
    log.info({ listener: name, address: showAddress(address) }, 'Listening')
  }
  deps.onReady?.({ open })
  const stopped = aborted(AbortSignal.any([signal, drain.signal]))
  await Promise.race([loops.failed, plane.failed, stopped])
  await plane.drain()
}
