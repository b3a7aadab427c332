/** A real Envoy that has no certificate of its own: everything of TLS comes by secret discovery from an agent's socket. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { freePort } from '../../processes/free-port.ts'
import { type Running, start, until } from '../../processes/process.ts'
import { peer } from '../interop.ts'

type Json = Readonly<Record<string, unknown>>

/** State of the world, or only what is new. */
export type ApiType = 'GRPC' | 'DELTA_GRPC'

export interface Names {
  /** Resource of the certificate. */
  readonly svid: string
  /** Resource of what the other end is judged by. */
  readonly bundle: string
  /** SPIFFE ID of the other end. */
  readonly peer: string
}

export interface EnvoyOptions {
  readonly socket: string
  readonly api: ApiType
  /** Lets peers in by mTLS, and answers by itself. */
  readonly inbound?: Names
  /** Cluster name → where it is, and who is to be there. It is reached by plain HTTP at /<cluster name>. */
  readonly outbound?: Readonly<Record<string, Destination>>
}

/** `own`: where this Envoy itself lets peers in. */
type Destination = Names & { readonly port: number | 'own' }

export interface RunningEnvoy extends AsyncDisposable {
  readonly inboundPort: number
  readonly outboundPort: number
  process(): Running
  /** Its counters whose names match. */
  stats(pattern: string): Promise<Readonly<Record<string, number>>>
  /** Whether everything that it waits for at the beginning has come. */
  isReady(): Promise<boolean>
}

const type = (name: string) => ({ '@type': `type.googleapis.com/${name}` })
const TLS = 'envoy.extensions.transport_sockets.tls.v3'
const address = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } })

/** As Istio's proxies have it. */
const sdsConfig = (api: ApiType): Json => ({
  resource_api_version: 'V3',
  initial_fetch_timeout: '0s',
  api_config_source: {
    ...{ api_type: api, transport_api_version: 'V3', set_node_on_first_message_only: true },
    grpc_services: [{ envoy_grpc: { cluster_name: 'sds' } }],
  },
})

const tls = (api: ApiType, { svid, bundle, peer: id }: Names): Json => ({
  tls_params: { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' },
  tls_certificate_sds_secret_configs: [{ name: svid, sds_config: sdsConfig(api) }],
  combined_validation_context: {
    default_validation_context: {
      match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { exact: id } }],
    },
    validation_context_sds_secret_config: { name: bundle, sds_config: sdsConfig(api) },
  },
})

const http = (routes: readonly Json[]): Json => ({
  name: 'http',
  typed_config: {
    ...type('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'http',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [
      { name: 'router', typed_config: type('envoy.extensions.filters.http.router.v3.Router') },
    ],
  },
})

const options = (more: Json): Json => ({
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    ...type('envoy.extensions.upstreams.http.v3.HttpProtocolOptions'),
    ...more,
  },
})

const endpoint = (name: string, where: Json): Json => ({
  name,
  connect_timeout: '10s',
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: where } }] }],
  },
})

const sdsCluster = (socket: string): Json => ({
  ...endpoint('sds', { pipe: { path: socket } }),
  typed_extension_protocol_options: options({
    explicit_http_config: { http2_protocol_options: {} },
  }),
})

/** Every request has a handshake of its own, so no certificate is used longer than it is the newest. */
function outboundCluster(api: ApiType, [name, to]: [string, Destination], own: number): Json {
  return {
    ...endpoint(name, address(to.port === 'own' ? own : to.port)),
    typed_extension_protocol_options: options({
      explicit_http_config: { http_protocol_options: {} },
      common_http_protocol_options: { max_requests_per_connection: 1 },
    }),
    transport_socket: {
      name: 'tls',
      typed_config: {
        ...type(`${TLS}.UpstreamTlsContext`),
        common_tls_context: tls(api, to),
        max_session_keys: 0,
      },
    },
  }
}

interface Ports {
  readonly admin: number
  readonly inbound: number
  readonly outbound: number
}

function bootstrap({ socket, api, inbound, outbound = {} }: EnvoyOptions, ports: Ports): Json {
  const clusters = Object.entries(outbound)
  const serving = inbound === undefined ? [] : [inbound]
  return {
    node: { id: 'sidecar', cluster: 'test' },
    admin: { address: address(ports.admin) },
    static_resources: {
      clusters: [
        sdsCluster(socket),
        ...clusters.map((one) => outboundCluster(api, one, ports.inbound)),
      ],
      listeners: [
        ...serving.map((names) => ({
          name: 'inbound',
          address: address(ports.inbound),
          filter_chains: [
            {
              filters: [http([{ match: { prefix: '/' }, direct_response: { status: 200 } }])],
              transport_socket: {
                name: 'tls',
                typed_config: {
                  ...type(`${TLS}.DownstreamTlsContext`),
                  require_client_certificate: true,
                  common_tls_context: tls(api, names),
                },
              },
            },
          ],
        })),
        {
          name: 'outbound',
          address: address(ports.outbound),
          filter_chains: [
            {
              filters: [
                http(
                  clusters.map(([cluster]) => ({
                    match: { prefix: `/${cluster}` },
                    route: { cluster },
                  })),
                ),
              ],
            },
          ],
        },
      ],
    },
  }
}

export async function startEnvoy(envoy: EnvoyOptions): Promise<RunningEnvoy> {
  const dir = mkdtempSync(join(tmpdir(), 'sds-envoy-'))
  const ports = { admin: await freePort(), inbound: await freePort(), outbound: await freePort() }
  const config = join(dir, 'envoy.json')
  writeFileSync(config, JSON.stringify(bootstrap(envoy, ports)))
  const words = ['-c', config, '--concurrency', '1', '--disable-hot-restart', '-l', 'warn']
  const running = start(peer('envoy'), words)
  const admin = (path: string) => get(ports.admin, path)
  try {
    await until('Envoy’s admin port', async () => (await admin('/ready')).body !== '')
  } catch (error) {
    await running[Symbol.asyncDispose]()
    throw new Error(`Envoy never listened:\n${running.output()}`, { cause: error })
  }
  return {
    inboundPort: ports.inbound,
    outboundPort: ports.outbound,
    process: () => running,
    async stats(pattern) {
      const { body } = await admin(`/stats?format=json&filter=${encodeURIComponent(pattern)}`)
      const { stats } = JSON.parse(body) as { readonly stats: readonly Stat[] } // cast: as Envoy documents it
      return Object.fromEntries(
        stats.flatMap(({ name, value }) => (name === undefined ? [] : [[name, value ?? 0]])),
      )
    },
    isReady: async () => (await admin('/ready')).status === 200,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

interface Stat {
  readonly name?: string
  readonly value?: number
}

export interface Answer {
  readonly status: number
  readonly body: string
}

/** By plain HTTP, over a connection of its own. */
export async function get(port: number, path: string): Promise<Answer> {
  const asking = request({ host: '127.0.0.1', port, path, agent: false })
  asking.end()
  const [response] = await once(asking, 'response')
  return { status: response.statusCode ?? 0, body: await text(response) }
}
