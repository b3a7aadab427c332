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
import { addMistake } from '../../config/mistake.ts'
import { noneYet, plugins } from '../../config/plugins.ts'
import { NO_FEATURES, profilingKeys } from '../../config/shared-keys.ts'
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
import { cidr } from './cidr.ts'
import { controller } from './controller.ts'
import { federation } from './federation.ts'
import { injection } from './injection.ts'
import { k8sPsat } from './k8s-psat.ts'
import { configMapPublisher, k8sBundle, trustBundlePublisher } from './k8s-publishers.ts'
import { mesh } from './mesh.ts'
import { podCertificates } from './pod-certificates.ts'
import { policyStatus } from './policy-status.ts'
import { filePublisher, s3Publisher } from './publishers.ts'
import { sql } from './sql.ts'
import { diskUpstream, spireUpstream } from './upstream.ts'
import { x509pop } from './x509pop.ts'

const keyType = () => choice(['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-4096'])

const NODES_FOLLOW =
  'node records in memory follow the change log of the store, and are never outdated'
const NO_WIT = 'WIT-SVIDs are not issued'
const NO_POLICY =
  'not offered: who may call what is fixed, as in SPIRE’s built-in policy; admin_ids names further administrators'
const FED_BY_CHANGES = 'the entry index follows the change log of the store'
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
  agent_spiffe_id_as_selector: withDefault(
    truth(),
    'false',
    'give each node the selector spiffe_id:<its SPIFFE ID> when it attests',
  ),
  auth_opa_policy_engine: absent('authorization by a Rego policy', undefined, NO_POLICY),
  feature_flags: absent('features under development', '[]', NO_FEATURES),
  named_pipe_name: absent('pipe of the server API', undefined, WINDOWS_ONLY),
  require_pq_kem: withDefault(truth(), 'false', 'refuse TLS without a post-quantum key exchange'),
  wit_issuer: idle(text(), '', NO_WIT, 'issuer of WIT-SVIDs'),
  wit_key_type: idle(keyType(), 'ec-p256', NO_WIT, 'key type of WIT-SVIDs'),
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
  data_dir: required(
    text('a path'),
    'directory of the server’s own files; one on PostgreSQL keeps there which of the servers it is',
  ),
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
  max_attested_node_info_staleness: idle(
    milliseconds(),
    '0s',
    NODES_FOLLOW,
    'use of outdated node records',
  ),
  ...profilingKeys,
  proxy_protocol_trusted_cidrs: withDefault(
    listOf(cidr(), 'ranges of addresses'),
    '[]',
    'load balancers whose PROXY headers are believed',
  ),
  prune_attested_nodes_batch_size: withDefault(
    count(),
    '1000',
    'nodes pruned in one round, which comes about every hour',
  ),
  prune_attested_nodes_expired_for: optional(
    seconds(),
    'how long a node’s SVID is expired before the node is pruned; never when left out',
  ),
  prune_tofu_nodes: withDefault(
    truth(),
    'false',
    'also prune nodes that cannot attest again by themselves',
  ),
  ratelimit: nest(rateLimit, 'limits for each address'),
  socket_path: withDefault(
    socketPath(),
    '/tmp/spire-server/private/api.sock',
    'Unix socket of administrators',
  ),
  trust_domain: required(trustDomain(), 'trust domain that the server issues for'),
})

const server = refine(serverSection, (read, { report }) => {
  for (const { trustDomain: name } of read.federation?.federates_with ?? []) {
    if (name !== read.trust_domain) continue
    const message = `server.federation.federates_with: ${name} is the server’s own trust domain`
    addMistake(report, placeOf(read, 'federation'), message, 'another one')
  }
  return {}
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
    least: 0,
    most: Number.POSITIVE_INFINITY,
  },
  BundlePublisher: {
    offered: {
      file: filePublisher,
      aws_s3: s3Publisher,
      k8s_configmap: configMapPublisher,
      k8s_cluster_trust_bundle: trustBundlePublisher,
    },
    planned: ['aws_rolesanywhere_trustanchor', 'azure_blob', 'gcp_cloudstorage'],
    least: 0,
    most: Number.POSITIVE_INFINITY,
  },
  CredentialComposer: noneYet('uniqueid'),
  Notifier: {
    offered: { k8sbundle: k8sBundle },
    planned: ['gcs_bundle'],
    least: 0,
    most: Number.POSITIVE_INFINITY,
  },
  UpstreamAuthority: {
    offered: { disk: diskUpstream, spire: spireUpstream },
    planned: ['aws_pca', 'awssecret', 'cert-manager', 'ejbca', 'gcp_cas', 'vault'],
    least: 0,
    most: 1,
  },
})

export const serverFile = section({
  server: nest(server, 'the server itself'),
  plugins: required(serverPlugins, 'what the server is made of'),
  controller_manager: optional(
    controller,
    'registration of workloads from Kubernetes; off when left out',
  ),
  mesh: nest(mesh, 'certificates for service meshes'),
  pod_certificates: nest(podCertificates, 'signer for podCertificate volumes, by cluster'),
  sidecar_injection: optional(injection, 'proxies that webhooks put into pods'),
  policy_status: optional(policyStatus, 'what the status of the cluster’s policies says of them'),
  telemetry: nest(telemetry, 'metrics'),
  health_checks: nest(healthChecks, 'health endpoint'),
})

/** Every key of the file, for the documentation. */
export const serverKeys: readonly KeyRow[] = [
  ...listKeys(serverFile.keys, ''),
  ...listPlugins(serverPlugins.types),
]
