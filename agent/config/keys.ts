/**
 * Every key of SPIRE's agent.conf: those that are read, with their defaults, and those that are
 * refused, with the reason.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/spire_agent.md
 */
import { absent } from '../../config/absent.ts'
import { nest, optional, refine, required, section, withDefault } from '../../config/check.ts'
import { healthChecks } from '../../config/health.ts'
import { type KeyRow, listKeys, listPlugins } from '../../config/key-table.ts'
import { logKeys } from '../../config/log.ts'
import { noneYet, plugins } from '../../config/plugins.ts'
import { NO_FEATURES, profilingKeys } from '../../config/shared-keys.ts'
import { telemetry } from '../../config/telemetry.ts'
import {
  choice,
  count,
  listOf,
  milliseconds,
  port,
  seconds,
  socketPath,
  text,
  trustDomain,
  truth,
  whole,
} from '../../config/value.ts'
import { checkAdminSocket } from './admin-socket.ts'
import { authorizedDelegates, checkDelegates } from './authorized-delegates.ts'
import { readBootstrap } from './bootstrap.ts'
import { broker, checkBrokerSocket } from './broker.ts'
import { docker } from './docker.ts'
import { readJoinToken } from './join-token.ts'
import { jwtCacheWait } from './jwt-cache-wait.ts'
import { k8s } from './k8s.ts'
import { k8sPsat } from './k8s-psat.ts'
import { rateLimit } from './rate-limit.ts'
import { sds } from './sds.ts'
import { serverAddresses } from './server-address.ts'
import { x509pop } from './x509pop.ts'

/** An agent that must live through an outage of this length needs SVIDs that live longer still. */
const MIN_AVAILABILITY_TARGET_SECONDS = 24 * 3600

const WINDOWS_ONLY = 'for Windows only; use agent.socket_path'

const experimental = section({
  admin_named_pipe_name: absent('pipe of the admin API', undefined, WINDOWS_ONLY),
  broker: broker(),
  feature_flags: absent('features under development', '[]', NO_FEATURES),
  jwt_svid_cache_hit_timeout: jwtCacheWait(),
  named_pipe_name: absent('pipe of the Workload API', undefined, WINDOWS_ONLY),
  ratelimit: nest(rateLimit, 'calls a second for each workload'),
  require_pq_kem: withDefault(
    truth(),
    'false',
    'refuse TLS to the server without a post-quantum key exchange',
  ),
  sync_interval: withDefault(milliseconds(), '5s', 'how often the server is asked for changes'),
  use_sync_authorized_entries: withDefault(
    truth(),
    'true',
    'ask for changes alone; false: for all entries each time, as SPIRE’s first agents did',
  ),
})

const agentSection = section({
  admin_socket_path: optional(socketPath(), 'Unix socket of administrators'),
  allow_unauthenticated_verifiers: withDefault(
    truth(),
    'false',
    'give bundles to callers without an identity',
  ),
  allowed_foreign_jwt_claims: withDefault(
    listOf(text(), 'claim names'),
    '[]',
    'claims shown of other trust domains’ JWT-SVIDs',
  ),
  authorized_delegates: authorizedDelegates(),
  availability_target: optional(
    seconds(MIN_AVAILABILITY_TARGET_SECONDS, 'a duration of 24h or more'),
    'outage of the server that SVIDs outlive',
  ),
  data_dir: withDefault(text('a path'), '.', 'directory of the agent’s own files'),
  disable_sds_api: withDefault(truth(), 'false', 'serve no SDS, Envoy’s secret discovery'),
  disable_workload_api: withDefault(truth(), 'false', 'serve no Workload API'),
  experimental: nest(experimental, 'keys that may change'),
  insecure_bootstrap: withDefault(truth(), 'false', 'believe the first server that answers'),
  join_token: optional(text('a token'), 'token to attest with'),
  join_token_file: optional(text('a path'), 'file of the token to attest with'),
  jwt_svid_cache_max_size: withDefault(count(), '1000', 'JWT-SVIDs kept'),
  ...logKeys,
  log_selectors: withDefault(
    listOf(text(), 'selectors, or their beginnings up to a colon'),
    '[]',
    'selectors of workloads that logs may show',
  ),
  ...profilingKeys,
  rebootstrap_delay: withDefault(
    milliseconds(),
    '10m',
    'how long the server must be unknown before trust begins anew',
  ),
  rebootstrap_mode: withDefault(
    choice(['never', 'auto', 'always']),
    'never',
    'ask for the bundle to start with again when the server is unknown; always: refuse to do without',
  ),
  sds: nest(sds, 'Envoy’s secret discovery'),
  server_address: required(
    serverAddresses(),
    'address of the server, or of several servers of one trust domain',
  ),
  server_port: required(port(), 'port of the server; of several, those without one of their own'),
  socket_path: withDefault(
    socketPath(),
    '/tmp/spire-agent/public/api.sock',
    'Unix socket of the Workload API',
  ),
  trust_bundle_format: withDefault(
    choice(['pem', 'spiffe']),
    'pem',
    'form of the bundle that the agent starts with',
  ),
  trust_bundle_path: optional(text('a path'), 'file of the bundle to start with'),
  trust_bundle_spiffe_workload_api: optional(
    text('an address such as unix:///run/agent.sock'),
    'Workload API that has the bundle to start with',
  ),
  trust_bundle_unix_socket: optional(
    socketPath(),
    'Unix socket that trust_bundle_url, which is http then, is asked at',
  ),
  trust_bundle_url: optional(text('an https URL'), 'address of the bundle to start with'),
  trust_domain: required(trustDomain(), 'trust domain of the agent'),
  workload_x509_svid_key_type: withDefault(
    choice(['ec-p256', 'ec-p384', 'rsa-2048']),
    'ec-p256',
    'key type of workloads’ X.509-SVIDs',
  ),
  x509_svid_cache_max_size: withDefault(count(), '1000', 'X.509-SVIDs kept without a caller'),
})

const agent = refine(agentSection, (read, context) => {
  checkAdminSocket(read, context)
  checkBrokerSocket(read, context)
  checkDelegates(read, context)
  return {
    bootstrap: readBootstrap(read, context),
    joinToken: readJoinToken(read, context),
  }
})

const disk = section({
  directory: required(text('a path'), 'directory of keys.json, which has mode 0600'),
})

/** A negative limit means that no program is ever hashed. */
const sizeLimit = () =>
  whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'a whole number', 'bytes')

const unix = section({
  discover_workload_path: withDefault(truth(), 'false', 'selectors for path and hash of a program'),
  workload_size_limit: withDefault(sizeLimit(), '0', 'largest program hashed; 0: any, below: none'),
})

const agentPlugins = plugins({
  KeyManager: { offered: { memory: section({}), disk }, planned: [], least: 1, most: 1 },
  NodeAttestor: {
    offered: { join_token: section({}), k8s_psat: k8sPsat, x509pop },
    planned: [
      'aws_iid',
      'azure_imds',
      'azure_msi',
      'gcp_iit',
      'http_challenge',
      'sshpop',
      'tpm_devid',
    ],
    least: 1,
    most: 1,
  },
  SVIDStore: noneYet('aws_secretsmanager', 'gcp_secretmanager'),
  WorkloadAttestor: {
    offered: { docker, k8s, systemd: section({}), unix },
    planned: ['slurm', 'windows'],
    least: 1,
    most: Number.POSITIVE_INFINITY,
  },
})

export const agentFile = section({
  agent: nest(agent, 'the agent itself'),
  plugins: required(agentPlugins, 'what the agent is made of'),
  telemetry: nest(telemetry, 'metrics'),
  health_checks: nest(healthChecks, 'health endpoint'),
})

/** Every key of the file, for the documentation. */
export const agentKeys: readonly KeyRow[] = [
  ...listKeys(agentFile.keys, ''),
  ...listPlugins(agentPlugins.types),
]
