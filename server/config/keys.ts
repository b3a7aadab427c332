/**
 * Every key of SPIRE's server.conf: those that are read, with their defaults, and those that are
 * refused, with the reason.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/spire_server.md
 */
import { absent, idle } from '../../config/absent.ts'
import {
  nest,
  optional,
  placeOf,
  refine,
  required,
  section,
  withDefault,
} from '../../config/check.ts'
import { healthChecks } from '../../config/health.ts'
import { type KeyRow, listKeys, listPlugins } from '../../config/key-table.ts'
import { logKeys } from '../../config/log.ts'
import { addRefusal, addWarning } from '../../config/mistake.ts'
import { noneYet, plugins } from '../../config/plugins.ts'
import { profilingKeys } from '../../config/shared-keys.ts'
import { telemetry } from '../../config/telemetry.ts'
import {
  choice,
  count,
  host,
  listOf,
  milliseconds,
  port,
  seconds,
  socketPath,
  spiffeIdValue,
  text,
  trustDomain,
  truth,
} from '../../config/value.ts'
import { databaseType } from './database-type.ts'
import { IN_MEMORY, parseSqlitePath } from './sqlite-path.ts'
import { x509pop } from './x509pop.ts'

const keyType = () => choice(['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-4096'])

const FED_BY_CHANGES = 'the entry index follows the change log of the store'
const ONE_CONNECTION = 'a SQLite database is opened once'
const WINDOWS_ONLY = 'for Windows only; use server.socket_path'

const caSubject = section({
  country: withDefault(
    listOf(text(), 'country codes'),
    '[]',
    'C of CA certificates; US when the whole subject is empty',
  ),
  organization: withDefault(
    listOf(text(), 'names'),
    '[]',
    'O of CA certificates; SPIFFE when the whole subject is empty',
  ),
  common_name: optional(text(), 'CN of CA certificates'),
})

const rateLimit = section({
  attestation: withDefault(
    truth(),
    'true',
    'limit node attestation to one a second for each address',
  ),
  signing: withDefault(truth(), 'true', 'limit signing to 500 a second for each address'),
})

const federation = section({
  bundle_endpoint: absent('serve this trust domain’s bundle'),
  federates_with: absent('bundle endpoints of other trust domains'),
})

const experimental = section({
  cache_reload_interval: idle(milliseconds(), '5s', FED_BY_CHANGES, 'reload of the entry cache'),
  events_based_cache: idle(truth(), 'false', FED_BY_CHANGES, 'entry cache fed by events'),
  full_cache_reload_interval: idle(
    milliseconds(),
    '24h',
    FED_BY_CHANGES,
    'full reload of the entry cache',
  ),
  prune_events_older_than: idle(
    milliseconds(),
    '12h',
    FED_BY_CHANGES,
    'age at which events are pruned',
  ),
  event_timeout: idle(
    milliseconds(),
    '15m',
    FED_BY_CHANGES,
    'wait for events that are out of order',
  ),
  sql_transaction_timeout: idle(milliseconds(), '15m', FED_BY_CHANGES, 'old name of event_timeout'),
  agent_spiffe_id_as_selector: absent('selector with the agent’s own SPIFFE ID', 'false'),
  auth_opa_policy_engine: absent('authorization by a Rego policy'),
  feature_flags: absent('features under development', '[]'),
  named_pipe_name: absent('pipe of the server API', undefined, WINDOWS_ONLY),
  require_pq_kem: absent('refuse TLS without a post-quantum key exchange', 'false'),
  wit_issuer: absent('issuer of WIT-SVIDs'),
  wit_key_type: absent('key type of WIT-SVIDs'),
})

const serverSection = section({
  admin_ids: withDefault(
    listOf(spiffeIdValue(), 'SPIFFE IDs'),
    '[]',
    'callers that are administrators',
  ),
  agent_ttl: optional(seconds(), 'life of an agent’s SVID; default_x509_svid_ttl when left out'),
  audit_log_enabled: withDefault(truth(), 'false', 'a log line for each call'),
  bind_address: withDefault(host(), '0.0.0.0', 'address that agents and clients connect to'),
  bind_port: withDefault(port(), '8081', 'port that agents and clients connect to'),
  ca_key_type: withDefault(keyType(), 'ec-p256', 'key type of X.509 authorities'),
  ca_subject: nest(caSubject, 'subject of CA certificates'),
  ca_ttl: withDefault(seconds(), '24h', 'life of a CA certificate or JWT key'),
  data_dir: required(text('a path'), 'directory of the server’s own files'),
  default_jwt_svid_ttl: withDefault(
    seconds(),
    '5m',
    'life of a JWT-SVID unless its entry says otherwise',
  ),
  default_x509_svid_ttl: withDefault(
    seconds(),
    '1h',
    'life of an X.509-SVID unless its entry says otherwise',
  ),
  disable_jwt_svids: withDefault(truth(), 'false', 'issue no JWT-SVIDs'),
  experimental: nest(experimental, 'keys that may change'),
  federation: nest(federation, 'other trust domains'),
  jwt_issuer: optional(text(), 'iss claim of JWT-SVIDs'),
  jwt_key_type: optional(keyType(), 'key type of JWT authorities; ca_key_type when left out'),
  ...logKeys,
  max_attested_node_info_staleness: absent('use of outdated node records', '0s'),
  ...profilingKeys,
  proxy_protocol_trusted_cidrs: absent('load balancers that may send PROXY headers', '[]'),
  prune_attested_nodes_batch_size: absent('nodes pruned at once', '1000'),
  prune_attested_nodes_expired_for: absent('age at which expired nodes are pruned'),
  prune_tofu_nodes: absent('prune nodes that cannot attest again', 'false'),
  ratelimit: nest(rateLimit, 'limits for each address'),
  socket_path: withDefault(
    socketPath(),
    '/tmp/spire-server/private/api.sock',
    'Unix socket of administrators',
  ),
  trust_domain: required(trustDomain(), 'trust domain that the server issues for'),
})

const sqlKeys = section({
  database_type: required(databaseType(), 'kind of database'),
  connection_string: required(text('a path or a file: URI'), 'where the database is'),
  ro_connection_string: absent('database for reading only'),
  root_ca_path: absent('CA of the database’s server'),
  client_cert_path: absent('certificate for the database’s server'),
  client_key_path: absent('key for the database’s server'),
  max_open_conns: idle(count(), '100', ONE_CONNECTION, 'open connections'),
  max_idle_conns: idle(count(), '100', ONE_CONNECTION, 'idle connections'),
  conn_max_lifetime: idle(milliseconds(), '0s', ONE_CONNECTION, 'life of a connection'),
  disable_migration: absent('start without migrating the database', 'false'),
  log_sql: absent('log every query', 'false'),
})

/** The connection string is read only once its kind is known: it is another language for each. */
const sql = refine(sqlKeys, (read, { report }) => {
  if (read.database_type === undefined || read.connection_string === undefined) return undefined
  const place = placeOf(read, 'connection_string')
  try {
    const path = parseSqlitePath(read.connection_string)
    if (path === IN_MEMORY) {
      addWarning(
        report,
        place,
        'the database is in memory: everything is lost when the server stops',
      )
    }
    return { path }
  } catch (error) {
    addRefusal(report, place, 'plugins.DataStore.sql', error)
    return undefined
  }
})

const memory = section({})

const disk = section({
  keys_path: required(text('a path'), 'file of the keys, mode 0600'),
})

const serverPlugins = plugins({
  DataStore: { offered: { sql }, planned: [], least: 1, most: 1 },
  KeyManager: {
    offered: { memory, disk },
    planned: ['aws_kms', 'azure_key_vault', 'gcp_kms', 'hashicorp_vault'],
    least: 1,
    most: 1,
  },
  NodeAttestor: {
    offered: { join_token: section({}), x509pop },
    planned: [
      'aws_iid',
      'azure_imds',
      'azure_msi',
      'gcp_iit',
      'http_challenge',
      'k8s_psat',
      'sshpop',
      'tpm_devid',
    ],
    least: 0,
    most: Number.POSITIVE_INFINITY,
  },
  BundlePublisher: noneYet(
    'aws_rolesanywhere_trustanchor',
    'aws_s3',
    'azure_blob',
    'gcp_cloudstorage',
    'k8s_configmap',
  ),
  CredentialComposer: noneYet('uniqueid'),
  Notifier: noneYet('gcs_bundle', 'k8sbundle'),
  UpstreamAuthority: noneYet(
    'aws_pca',
    'awssecret',
    'cert-manager',
    'disk',
    'ejbca',
    'gcp_cas',
    'spire',
    'vault',
  ),
})

export const serverFile = section({
  server: nest(serverSection, 'the server itself'),
  plugins: required(serverPlugins, 'what the server is made of'),
  telemetry: nest(telemetry, 'metrics'),
  health_checks: nest(healthChecks, 'health endpoint'),
})

/** Every key of the file, for the documentation. */
export const serverKeys: readonly KeyRow[] = [
  ...listKeys(serverFile.keys, ''),
  ...listPlugins(serverPlugins.types),
]
