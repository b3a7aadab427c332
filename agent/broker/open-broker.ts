/** The Broker API of a running agent, if it is configured. Wiring only. */
import type { RunningAgent } from '../agent.ts'
import type { Identities } from '../agent-loops.ts'
import {
  measureFirstSvids,
  meterAttest,
  meterAttestor,
  observeApis,
} from '../telemetry/meter-agent.ts'
import { resolveWith } from './resolve-reference.ts'
import { serveBroker } from './serve-broker.ts'

/** Disposing closes its sockets. @throws IdentityError CONFIG_INVALID */
export async function openBroker(
  { config, deps, metrics, attestors, cache, membership }: RunningAgent,
  { source }: Identities,
): Promise<AsyncDisposable | undefined> {
  const { broker: settings, requirePqKem } = config
  if (settings === undefined) return undefined
  const { clock } = deps
  const log = deps.log.child({ component: 'broker' })
  const endpoint = await serveBroker({
    ...{ settings, requirePqKem, cache, source, clock, log },
    svid: membership.svid,
    bundles: cache.knowledge,
    resolve: resolveWith({
      attestors: attestors.map((one) => meterAttestor(one, metrics)),
      measure: (attest) => meterAttest(attest, metrics),
      log: deps.log.child({ component: 'workload_attestor' }),
    }),
    measureFirstSvids: () => measureFirstSvids(metrics),
    observe: observeApis<unknown>(metrics),
  })
  const address = settings.bindAddress
  log.info(
    { address: settings.socketPath, tcp: address && `${address.host}:${endpoint.port}` },
    'Serving the Broker API',
  )
  return endpoint
}
