/**
 * The sockets of a running agent: the public one for workloads, unless it is turned off, and the one of
 * administrators, if there is to be one. Wiring only.
 */
import type { LevelSwitch } from '../log/level-switch.ts'
import { prepareSocketPath } from '../proto/unix-listener.ts'
import { serveAdmin } from './admin/serve-admin.ts'
import type { RunningAgent } from './agent.ts'
import type { Identities } from './agent-loops.ts'
import { attestWith } from './attest/attest.ts'
import type { AgentConfig } from './config.ts'
import { openDelegatedIdentity } from './delegated-identity/open-delegated-identity.ts'
import { whyNoneWith } from './explain/why-none.ts'
import { prepareSocketDir } from './socket-dir.ts'
import {
  countRateExceeded,
  meterAttest,
  meterAttestor,
  observeAdminApi,
  observeWorkloadApi,
} from './telemetry/meter-agent.ts'
import { loggableBy } from './workload-api/loggable-selectors.ts'
import { serveWorkloadApi } from './workload-api/serve.ts'

/** What an administrator may see and change of the running process. */
export interface Launch {
  readonly logLevel: LevelSwitch
  readonly startedAt: Date
}

/** Makes the directories and refuses sockets that another process serves. @throws IdentityError CONFIG_INVALID */
export async function prepareSockets(config: AgentConfig): Promise<void> {
  if (!config.disableWorkloadApi) {
    prepareSocketDir(config.socketPath)
    await prepareSocketPath(config.socketPath)
  }
  if (config.adminSocketPath !== undefined) await prepareSocketPath(config.adminSocketPath)
}

/** Disposing closes the socket; nothing is opened when it is turned off. @throws IdentityError CONFIG_INVALID */
export async function serveWorkloads(
  { config, deps, metrics, attestors, cache, membership, sync }: RunningAgent,
  { source }: Identities,
): Promise<AsyncDisposable | undefined> {
  const { clock, log } = deps
  if (config.disableWorkloadApi) {
    log.info('The Workload API is turned off')
    return undefined
  }
  const attest = attestWith({
    attestors: attestors.map((attestor) => meterAttestor(attestor, metrics)),
    log: log.child({ component: 'workload_attestor' }),
  })
  const isLoggable = loggableBy(config.logSelectors)
  const api = await serveWorkloadApi({
    path: config.socketPath,
    source,
    attest: meterAttest(attest, metrics),
    rates: config.workloadRates,
    onRateExceeded: (method) => countRateExceeded(metrics, method),
    whyNone: whyNoneWith({ cache, membership, sync, isLoggable, clock }),
    observe: observeWorkloadApi(metrics),
    clock,
    log: log.child({ component: 'endpoints' }),
    allowUnauthenticatedVerifiers: config.allowUnauthenticatedVerifiers,
    allowedForeignJwtClaims: config.allowedForeignJwtClaims,
  })
  log.info({ address: config.socketPath }, 'Serving the Workload API')
  for (const [method, limit] of Object.entries(config.workloadRates)) {
    if (limit > 0) log.info({ method, limit }, 'A method of the Workload API has a rate limit')
  }
  return api
}

/** As `serveWorkloads`. It is open before the agent is in sync: who looks for a reason looks then. */
export async function serveAdministrators(
  agent: RunningAgent,
  identities: Identities,
  { logLevel, startedAt }: Launch,
): Promise<AsyncDisposable | undefined> {
  const { config, deps, metrics, attestors, cache, membership, sync } = agent
  const { countJwtSvids } = identities
  const { adminSocketPath: path } = config
  if (path === undefined) return undefined
  const { clock, log } = deps
  const api = await serveAdmin({
    path,
    debug: { membership, cache, countJwtSvids, sync, clock, startedAt },
    delegated: openDelegatedIdentity(agent, identities),
    explain: { attestors, cache, membership, sync },
    logLevel,
    observe: observeAdminApi(metrics),
    log: log.child({ component: 'admin' }),
  })
  log.info({ address: path }, 'Serving the admin API')
  return api
}
