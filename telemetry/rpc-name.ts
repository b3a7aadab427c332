/** What SPIRE calls a method in its metrics and in its audit log. */

export interface RpcName {
  /** `agent.v1.Agent`, `Health`, `WorkloadAPI`. */
  readonly service: string
  /** `AttestAgent` */
  readonly method: string
  /** `rpc_agent_v1_agent_attest_agent` */
  readonly metric: string
}

/** Services whose package SPIRE leaves out. */
const SHORT: Readonly<Record<string, string>> = {
  'envoy.service.secret.v3.SecretDiscoveryService': 'SDS.v3',
  'grpc.health.v1.Health': 'Health',
  'spire.agent.debug.v1.Debug': 'Debug',
  'spire.api.agent.delegatedidentity.v1.DelegatedIdentity': 'DelegatedIdentity',
  'spire.api.agent.logger.v1.Logger': 'Logger',
  'spire.api.server.logger.v1.Logger': 'Logger',
  SpiffeWorkloadAPI: 'WorkloadAPI',
}
const PACKAGE = /^(?:spire\.api\.(?:server|agent)|spire\.agent|steeple\.server)\./

/** Methods whose plural would be torn apart; SPIRE spells them out, too. */
const SPELLED: Readonly<Record<string, string>> = {
  SubscribeToX509SVIDs: 'subscribe_to_x509_svids',
}

/** Every call is named, and there are few methods. */
const known = new Map<string, RpcName>()
const MAX_KNOWN = 500

/** @param path full method, e.g. `/spire.api.server.agent.v1.Agent/AttestAgent` */
export function rpcName(path: string): RpcName {
  const found = known.get(path)
  if (found !== undefined) return found
  const name = nameOf(path)
  if (known.size < MAX_KNOWN) known.set(path, name)
  return name
}

function nameOf(path: string): RpcName {
  const [, full = '', method = ''] = path.split('/')
  const service = SHORT[full] ?? full.replace(PACKAGE, '')
  const words = [...service.split('.').map(snakeCase), SPELLED[method] ?? snakeCase(method)]
  return { service, method, metric: ['rpc', ...words].join('_') }
}

/** As SPIRE: `FetchX509SVID` is `fetch_x509svid`, `PrepareX509Authority` is `prepare_x509_authority`. */
function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])/g, '_').toLowerCase()
}
