/** Envoy with its RBAC filter, one worker each, set up as Istio sets up its sidecars. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { peer } from '../../test/interop/interop.ts'
import { freePort } from '../../test/processes/free-port.ts'
import { start } from '../../test/processes/process.ts'
import type { Material, Pem } from './material.ts'
import { asPair, type Pair, type PairOptions } from './pair.ts'
import { CALLED, envoyConnectionRules, envoyRules } from './rules.ts'

type Json = Readonly<Record<string, unknown>>

let made = 0

const type = (name: string) => ({ '@type': `type.googleapis.com/${name}` })
const FILTERS = 'envoy.extensions.filters'
const TLS = 'envoy.extensions.transport_sockets.tls.v3'

const address = (port: number) => ({
  socket_address: { address: '127.0.0.1', port_value: port },
})

function commonTls({ certificate, key, bundle }: Pem, accepted: string | undefined): Json {
  const match = { san_type: 'URI', matcher: { exact: accepted } }
  return {
    tls_params: {
      tls_minimum_protocol_version: 'TLSv1_3',
      tls_maximum_protocol_version: 'TLSv1_3',
      ecdh_curves: ['X25519MLKEM768', 'X25519', 'P-256'],
    },
    tls_certificates: [
      { certificate_chain: { filename: certificate }, private_key: { filename: key } },
    ],
    validation_context: {
      trusted_ca: { filename: bundle },
      ...(accepted === undefined ? {} : { match_typed_subject_alt_names: [match] }),
    },
  }
}

const server = (pem: Pem): Json => ({
  name: 'tls',
  typed_config: {
    ...type(`${TLS}.DownstreamTlsContext`),
    common_tls_context: commonTls(pem, undefined),
    require_client_certificate: true,
    disable_stateless_session_resumption: true,
    disable_stateful_session_resumption: true,
  },
})

const client = (pem: Pem, expected: string): Json => ({
  name: 'tls',
  typed_config: {
    ...type(`${TLS}.UpstreamTlsContext`),
    common_tls_context: commonTls(pem, expected),
    max_session_keys: 0,
  },
})

const TELLS_CALLER = {
  forward_client_cert_details: 'APPEND_FORWARD',
  set_current_client_cert_details: { subject: true, dns: true, uri: true },
}

/** @param isInbound the end that tells its workload who calls */
function connectionManager(filters: readonly Json[], isInbound: boolean): Json {
  const router = {
    name: 'router',
    typed_config: type(`${FILTERS}.http.router.v3.Router`),
  }
  const hosts = [
    {
      name: 'all',
      domains: ['*'],
      routes: [{ match: { prefix: '/' }, route: { cluster: 'next' } }],
    },
  ]
  return {
    name: 'http',
    typed_config: {
      ...type(`${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`),
      ...{ stat_prefix: 'http', normalize_path: true },
      ...(isInbound ? TELLS_CALLER : {}),
      route_config: { virtual_hosts: hosts },
      http_filters: [...filters, router],
    },
  }
}

function chainOf(
  mode: PairOptions['mode'],
  rbac: Json | undefined,
  isInbound: boolean,
): readonly Json[] {
  const which = mode === 'http' ? 'http' : 'network'
  const judge =
    rbac === undefined
      ? []
      : [
          {
            name: 'rbac',
            typed_config: {
              ...type(`${FILTERS}.${which}.rbac.v3.RBAC`),
              ...(which === 'network' ? { stat_prefix: 'rbac' } : {}),
              rules: rbac,
            },
          },
        ]
  if (mode === 'http') return [connectionManager(judge, isInbound)]
  const proxy = { ...type(`${FILTERS}.network.tcp_proxy.v3.TcpProxy`), stat_prefix: 'tcp' }
  return [...judge, { name: 'tcp', typed_config: { ...proxy, cluster: 'next' } }]
}

interface Hop {
  readonly port: number
  readonly upstream: number
  readonly filters: readonly Json[]
  readonly downstreamTls?: Json
  readonly upstreamTls?: Json
}

const HUGE = 1_000_000

function bootstrap({ port, upstream, filters, downstreamTls, upstreamTls }: Hop): string {
  const breakers = {
    ...{ max_connections: HUGE, max_pending_requests: HUGE, max_requests: HUGE },
  }
  return JSON.stringify({
    static_resources: {
      listeners: [
        {
          name: 'in',
          address: address(port),
          filter_chains: [
            {
              filters,
              ...(downstreamTls === undefined ? {} : { transport_socket: downstreamTls }),
            },
          ],
        },
      ],
      clusters: [
        {
          name: 'next',
          type: 'STATIC',
          connect_timeout: '10s',
          circuit_breakers: { thresholds: [breakers] },
          load_assignment: {
            cluster_name: 'next',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(upstream) } }] }],
          },
          ...(upstreamTls === undefined ? {} : { transport_socket: upstreamTls }),
        },
      ],
    },
  })
}

export async function startEnvoy(
  { dir, caller, called, trustDomain }: Material,
  { mode, rules, backendPort }: PairOptions,
): Promise<Pair> {
  const [inner, outer] = [await freePort(), await freePort()]
  const stack = new AsyncDisposableStack()
  const run = (name: string, hop: Hop) => {
    const id = String(++made)
    const path = join(dir, `envoy-${id}-${name}.json`)
    writeFileSync(path, bootstrap(hop))
    const options = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'error']
    return stack.use(start(peer('envoy'), ['-c', path, ...options]))
  }
  const http = rules === 0 ? undefined : (envoyRules(trustDomain, rules) as Json)
  const rbac = mode === 'http' ? http : (envoyConnectionRules(trustDomain) as Json)
  const inbound = run('called', {
    ...{ port: inner, upstream: backendPort, filters: chainOf(mode, rbac, true) },
    downstreamTls: server(called.pem),
  })
  const outbound = run('caller', {
    ...{ port: outer, upstream: inner, filters: chainOf(mode, undefined, false) },
    upstreamTls: client(caller.pem, `spiffe://${trustDomain}${CALLED}`),
  })
  return await asPair('envoy', [outer, inner], [outbound, inbound], stack)
}
