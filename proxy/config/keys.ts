/**
 * Every key of proxy.conf: those that are read, with their defaults. The names of mesh settings are Istio's, in the style of
 * the other files.
 */

import { listenAddress, upstreamAddress } from '../../config/address.ts'
import { nest, optional, required, section, withDefault } from '../../config/check.ts'
import { healthChecks } from '../../config/health.ts'
import { ifWritten } from '../../config/if-written.ts'
import { type KeyRow, listKeys } from '../../config/key-table.ts'
import { namespaceName } from '../../config/kubernetes-name.ts'
import { logKeys } from '../../config/log.ts'
import { named, textMap } from '../../config/named.ts'
import { telemetry } from '../../config/telemetry.ts'
import {
  choice,
  count,
  listOf,
  milliseconds,
  port,
  text,
  trustDomain,
  truth,
  whole,
} from '../../config/value.ts'
import { identity, labelsKey, selectorsKey } from './delegated-keys.ts'
import { extensionProvider } from './extension-provider.ts'
import { capture, destination, hbone } from './mesh-keys.ts'
import { peerPattern } from './peer-pattern.ts'
import { policySource } from './policy-source-keys.ts'
import { probes } from './probe-keys.ts'
import { tracing } from './tracing-keys.ts'
import { workerCount } from './workers-key.ts'

const TRANSPORTS = ['mtls', 'hbone'] as const
const PROTOCOLS = ['auto', 'http', 'http2', 'tcp'] as const
const TLS_VERSIONS = ['1.2', '1.3'] as const
const MAX_TRUSTED_HOPS = 100

const inbound = section({
  authorize: withDefault(
    listOf(peerPattern(), 'SPIFFE IDs and trust domains'),
    '[]',
    'peers that may connect at all, none in plaintext; any verified one by default',
  ),
  forward_client_cert: withDefault(
    truth(),
    'true',
    'tell the workload its caller in x-forwarded-client-cert',
  ),
  labels: labelsKey(),
  listen: required(listenAddress(), 'where callers connect'),
  min_tls_version: withDefault(choice(TLS_VERSIONS), '1.3', 'oldest TLS version that is taken'),
  mtls: optional(
    choice(['policy', 'strict']),
    'policy: PeerAuthentication decides; strict: always; by default policy where there are policies',
  ),
  protocol: withDefault(choice(PROTOCOLS), 'auto', 'what the workload speaks at its port'),
  selectors: selectorsKey(),
  upstream: required(upstreamAddress(), 'where the workload listens'),
  workload_port: optional(port(), 'port that policies mean; that of upstream when left out'),
})

const outbound = section({
  alpn: withDefault(
    listOf(text(), 'protocol names'),
    '[]',
    'protocols offered in the handshake instead of the mesh’s own',
  ),
  authorize: required(
    listOf(peerPattern(), 'SPIFFE IDs and trust domains'),
    'who may answer at upstream',
  ),
  hbone_address: optional(
    upstreamAddress(),
    'with transport hbone: where upstream’s proxy takes tunnels; port 15008 of upstream when left out',
  ),
  labels: labelsKey(),
  listen: required(listenAddress(), 'where the workload connects'),
  min_tls_version: withDefault(choice(TLS_VERSIONS), '1.3', 'oldest TLS version that is taken'),
  protocol: withDefault(choice(PROTOCOLS), 'auto', 'what the workload speaks'),
  selectors: selectorsKey(),
  server_name: optional(text('a DNS name'), 'SNI to send; none when left out'),
  service: optional(text('a name'), 'name of the destination in metrics and logs'),
  transport: withDefault(
    choice(TRANSPORTS),
    'mtls',
    'mtls: mutual TLS with upstream itself; hbone: a tunnel to it through its proxy',
  ),
  upstream: required(upstreamAddress(), 'the other proxy, or a server that speaks mutual TLS'),
})

const workload = section({
  http_ports: withDefault(
    listOf(port(), 'ports'),
    '[]',
    'its ports for HTTP, where connections may come for any port; others are looked into',
  ),
  labels: optional(textMap('labels and their values'), 'labels that policies select by'),
  name: optional(text('a name'), 'name of the workload; the host’s when left out'),
  namespace: optional(
    namespaceName(),
    'namespace; that in the SPIFFE ID when left out, else default',
  ),
  service: optional(text('a name'), 'service that callers call it by, for metrics'),
  service_account: optional(text('a name'), 'service account; that in the SPIFFE ID when left out'),
  tcp_ports: withDefault(
    listOf(port(), 'ports'),
    '[]',
    'its ports for other protocols, whose bytes are not looked into',
  ),
})

const mesh = section({
  extension_provider: optional(
    named(extensionProvider),
    'who answers for policies with the action CUSTOM',
  ),
  federated_trust_domains: withDefault(
    listOf(trustDomain(), 'trust domains'),
    '[]',
    'other trust domains whose workloads may connect, subject to policy',
  ),
  path_normalization: withDefault(
    choice(['NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES']),
    'BASE',
    'how paths are normalised before rules see them',
  ),
  refuse_ambiguous_paths: withDefault(
    truth(),
    'true',
    'answer 400 to a path that another round of decoding would change',
  ),
  root_namespace: withDefault(
    namespaceName(),
    'istio-system',
    'namespace whose policies govern all others',
  ),
  trust_domain_aliases: withDefault(
    listOf(trustDomain(), 'trust domains'),
    '[]',
    'other names of our own trust domain',
  ),
  trusted_hops: withDefault(
    whole(0, MAX_TRUSTED_HOPS, `a number from 0 to ${MAX_TRUSTED_HOPS}`),
    '0',
    'proxies in front whose X-Forwarded-For is believed',
  ),
})

const admin = section({
  listen: required(
    listenAddress(),
    'loopback address or Unix socket; only the latter may change anything',
  ),
})

const jwks = section({
  ca_file: optional(text('a path'), 'PEM file of CAs that issuers’ key servers are trusted by'),
})

const proxy = section({
  access_log: optional(
    text('a path, or stdout'),
    'file of one JSON line for each request or connection',
  ),
  admin: optional(ifWritten(admin), 'endpoint for operators'),
  capture: optional(ifWritten(capture), 'connections that rules of redirection bring'),
  connect_timeout: withDefault(milliseconds(), '10s', 'how long a connection to upstream may take'),
  destination: optional(named(destination), 'how captured connections go on, by their address'),
  drain_timeout: withDefault(milliseconds(), '5s', 'how long connections may go on after a stop'),
  hbone: optional(ifWritten(hbone), 'tunnels to the workload, as ztunnel makes them'),
  identity: optional(named(identity), 'whence identities come, instead of the Workload API'),
  inbound: optional(named(inbound), 'listeners in front of the workload'),
  jwks: nest(jwks, 'keys of token issuers'),
  ...logKeys,
  max_connections: withDefault(count(), '16384', 'connections of one listener'),
  mesh: nest(mesh, 'settings of the whole mesh'),
  outbound: optional(named(outbound), 'listeners for what the workload calls'),
  policy_dir: optional(text('a path'), 'directory of policies in YAML, read again when it changes'),
  policy_source: optional(named(policySource), 'whence policies come, instead of a directory'),
  probes: optional(ifWritten(probes), 'questions of the kubelet that the proxy passes on'),
  protocol_detection_timeout: withDefault(
    milliseconds(),
    '1s',
    'how long a silent client is waited for before it counts as plaintext TCP',
  ),
  tcp_idle_timeout: withDefault(milliseconds(), '1h', 'how long a connection may be silent'),
  tracing: optional(ifWritten(tracing), 'spans of requests, for a collector of OpenTelemetry'),
  trust_domain: optional(trustDomain(), 'own trust domain; that of the SVID when left out'),
  workers: withDefault(
    workerCount(),
    '1',
    'threads that share all listeners and max_connections, each on a core of its own',
  ),
  workload: nest(workload, 'the workload behind the proxy'),
  workload_api_socket: withDefault(
    text('a path, or unix:// and a path'),
    '/tmp/spire-agent/public/api.sock',
    'Unix socket of the Workload API, which is not asked with identity "delegated"',
  ),
})

export const proxyFile = section({
  proxy: nest(proxy, 'the proxy itself'),
  telemetry: nest(telemetry, 'metrics'),
  health_checks: nest(healthChecks, 'health endpoint'),
})

/** Every key of the file, for the documentation. */
export const proxyKeys: readonly KeyRow[] = listKeys(proxyFile.keys, '')
