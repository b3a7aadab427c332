/**
 * The sockets of a running agent: the public one for workloads and their proxies, unless both of its APIs are turned off,
 * and the one of administrators, if there is to be one. Wiring only.
 */
import type { LevelSwitch } from '../log/level-switch.ts'
import type { Log } from '../log/open-log.ts'
import { whoCouldReplace } from '../proto/socket-file.ts'
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
  observeApis,
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
  if (apisOf(config).length > 0) {
    prepareSocketDir(config.socketPath)
    await prepareSocketPath(config.socketPath)
  }
  if (config.adminSocketPath !== undefined) await prepareSocketPath(config.adminSocketPath)
  if (config.broker?.socketPath !== undefined) await prepareSocketPath(config.broker.socketPath)
}

/** What the public socket is for, as the log says it. */
function apisOf({ disableWorkloadApi, sds }: AgentConfig): readonly string[] {
  return [...(disableWorkloadApi ? [] : ['Workload API']), ...(sds === undefined ? [] : ['SDS'])]
}

/** Disposing closes the socket; nothing is opened when it is turned off. @throws IdentityError CONFIG_INVALID */
export async function serveWorkloads(
  { config, deps, metrics, attestors, cache, membership, sync }: RunningAgent,
  { source }: Identities,
): Promise<AsyncDisposable | undefined> {
  const { clock, log } = deps
  const apis = apisOf(config)
  if (config.disableWorkloadApi) log.info('The Workload API is turned off')
  if (apis.length === 0) return undefined
  const attest = attestWith({
    attestors: attestors.map((attestor) => meterAttestor(attestor, metrics)),
    log: log.child({ component: 'workload_attestor' }),
  })
  const isLoggable = loggableBy(config.logSelectors)
  const api = await serveWorkloadApi({
    path: config.socketPath,
    isWorkloadApiOff: config.disableWorkloadApi,
    ...(config.sds === undefined ? {} : { sds: config.sds }),
    source,
    attest: meterAttest(attest, metrics),
    rates: config.workloadRates,
    onRateExceeded: (method) => countRateExceeded(metrics, method),
    whyNone: whyNoneWith({ cache, membership, sync, isLoggable, clock }),
    observe: observeApis(metrics),
    clock,
    log: log.child({ component: 'endpoints' }),
    allowUnauthenticatedVerifiers: config.allowUnauthenticatedVerifiers,
    allowedForeignJwtClaims: config.allowedForeignJwtClaims,
  })
  warnOfRisk(config.socketPath, log)
  const message = config.disableWorkloadApi ? 'Serving SDS' : 'Serving the Workload API'
  log.info({ address: config.socketPath, apis: apis.join(', ') }, message)
  for (const [method, limit] of Object.entries(config.workloadRates)) {
    if (limit > 0) log.info({ method, limit }, 'A method of the workload socket has a rate limit')
  }
  return api
}

function warnOfRisk(path: string, log: Log): void {
  const risk = whoCouldReplace(path)
  if (risk !== undefined) log.warn({ risk }, 'A socket is not safe where it is')
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
    observe: observeApis(metrics),
    log: log.child({ component: 'admin' }),
  })
  warnOfRisk(path, log)
  log.info({ address: path }, 'Serving the admin API')
  return api
}
