/** Tunnels between our proxy and Envoy, which Istio's waypoints and gateways are made of: Envoy as the client, and as the server. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, expect } from 'vitest'
import { toPem, toPemChain } from '../../spiffe/x509/pem.ts'
import { freePort } from '../processes/free-port.ts'
import { start, until } from '../processes/process.ts'
import { ca, db, policy, sourceOf, web } from '../proxy/hbone/hbone-client.ts'
import { startListeners } from '../proxy/pair.ts'
import { startBackend } from '../proxy/running-proxy.ts'
import { interop, peer } from './interop.ts'

const dir = mkdtempSync(join(tmpdir(), 'steeple-hbone-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const type = (name: string) => ({ '@type': `type.googleapis.com/${name}` })
const TLS = 'envoy.extensions.transport_sockets.tls.v3'

/** Both ends show a certificate and want one. */
const tls = (identity: typeof web, side: 'Upstream' | 'Downstream') => ({
  name: 'tls',
  typed_config: {
    ...type(`${TLS}.${side}TlsContext`),
    ...(side === 'Downstream' ? { require_client_certificate: true } : {}),
    common_tls_context: {
      alpn_protocols: ['h2'],
      tls_params: { tls_maximum_protocol_version: 'TLSv1_3' },
      tls_certificates: [
        {
          certificate_chain: {
            inline_string: toPemChain(identity.chain),
          },
          private_key: { inline_string: toPem('PRIVATE KEY', identity.key) },
        },
      ],
      validation_context: {
        trusted_ca: { inline_string: toPem('CERTIFICATE', ca.certificate) },
      },
    },
  },
})

const address = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } })

const cluster = (name: string, port: number, more: object = {}) => ({
  ...{ name, type: 'STATIC', connect_timeout: '5s' },
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
  },
  ...more,
})

/** Takes TCP at `listen` and carries it by tunnels to `hbone`, asking for `authority`. */
const tunnelClient = (listen: number, hbone: number, authority: string) => ({
  listeners: [
    {
      address: address(listen),
      filter_chains: [
        {
          filters: [
            {
              name: 'tcp',
              typed_config: {
                ...type('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy'),
                ...{ stat_prefix: 'tcp', cluster: 'hbone' },
                tunneling_config: { hostname: authority },
              },
            },
          ],
        },
      ],
    },
  ],
  clusters: [
    cluster('hbone', hbone, {
      typed_extension_protocol_options: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
          ...type('envoy.extensions.upstreams.http.v3.HttpProtocolOptions'),
          explicit_http_config: { http2_protocol_options: {} },
        },
      },
      transport_socket: tls(web, 'Upstream'),
    }),
  ],
})

/** Takes tunnels at `listen`, all of which lead to `workload`. */
const tunnelServer = (listen: number, workload: number) => ({
  listeners: [
    {
      address: address(listen),
      filter_chains: [
        {
          transport_socket: tls(db, 'Downstream'),
          filters: [
            {
              name: 'http',
              typed_config: {
                ...type(
                  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                ),
                ...{ stat_prefix: 'http', codec_type: 'HTTP2' },
                http2_protocol_options: { allow_connect: true },
                upgrade_configs: [{ upgrade_type: 'CONNECT' }],
                route_config: {
                  virtual_hosts: [
                    {
                      ...{ name: 'all', domains: ['*'] },
                      routes: [
                        {
                          match: { connect_matcher: {} },
                          route: {
                            cluster: 'workload',
                            upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }],
                          },
                        },
                      ],
                    },
                  ],
                },
                http_filters: [
                  {
                    name: 'router',
                    typed_config: type('envoy.extensions.filters.http.router.v3.Router'),
                  },
                ],
              },
            },
          ],
        },
      ],
    },
  ],
  clusters: [cluster('workload', workload)],
})

async function startEnvoy(resources: object, port: number) {
  const path = join(dir, `envoy-${port}.json`)
  writeFileSync(path, JSON.stringify({ static_resources: resources }))
  const running = start(peer('envoy'), [
    ...['-c', path, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning'],
    ...['--base-id', String(port % 30_000)],
  ])
  await Promise.race([
    until('Envoy to listen', async () => {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      socket.destroy()
      return true
    }),
    running.ended.then((code) => {
      throw new Error(`Envoy ended with ${code}: ${running.output().slice(-4000)}`)
    }),
  ])
  return running
}

const echoAfterEnd = (socket: Socket) => {
  const heard: Buffer[] = []
  socket.on('data', (chunk) => heard.push(chunk))
  socket.on('end', () => socket.end(Buffer.concat(heard)))
}

/** Says everything, ends its way, and hears the other. */
async function askAfterEnd(port: number, words: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.end(words)
  return await text(socket).catch(() => 'reset')
}

const MEGABYTE = 'x'.repeat(1024 * 1024)

interop(
  'Envoy’s tunnels are taken, judged, and closed when policy changes',
  ['envoy'],
  async () => {
    await using workload = await startBackend(echoAfterEnd)
    await using proxy = await startListeners(
      sourceOf(db),
      `hbone { listen = "127.0.0.1:0" }\nworkload { tcp_ports = [${workload.port}] }`,
    )
    const port = await freePort()
    const client = tunnelClient(port, proxy.port('hbone'), `127.0.0.1:${workload.port}`)
    await using _envoy = await startEnvoy(client, port)
    const words = Array.from({ length: 20 }, (_, at) => `word ${at}`)
    expect(await Promise.all(words.map((word) => askAfterEnd(port, word)))).toEqual(words)
    expect(await askAfterEnd(port, MEGABYTE)).toBe(MEGABYTE)
    expect(proxy.access[0]).toMatchObject({
      source_identity: 'spiffe://example.org/ns/shop/sa/web',
      response_flags: '-',
    })
    const held = connect(port, '127.0.0.1')
    const closed = new Promise((resolve) => held.on('error', () => {}).once('close', resolve))
    held.write('held open')
    await expect
      .poll(() => proxy.access.length + proxy.context.connections.size)
      .toBeGreaterThan(22)
    const spec = '{ action: DENY, rules: [{ from: [{ source: { principals: ["*/sa/web"] } }] }] }'
    proxy.writePolicies(policy('web', spec))
    await closed
    const before = workload.seen()
    expect(await askAfterEnd(port, 'denied')).not.toBe('denied')
    expect(workload.seen()).toBe(before)
    expect(proxy.access.at(-1)).toMatchObject({ verdict: 'deny', policy: 'shop/web' })
  },
)

interop('tunnels are made to Envoy, and its workload is heard', ['envoy'], async () => {
  await using workload = await startBackend(echoAfterEnd)
  const envoyPort = await freePort()
  await using _envoy = await startEnvoy(tunnelServer(envoyPort, workload.port), envoyPort)
  const outbound = (name: string, sa: string) => `outbound "${name}" {
    listen = "127.0.0.1:0"  upstream = "127.0.0.1:${workload.port}"
    transport = "hbone"  hbone_address = "127.0.0.1:${envoyPort}"
    authorize = ["spiffe://example.org/ns/shop/sa/${sa}"]
  }`
  await using proxy = await startListeners(
    sourceOf(web),
    `${outbound('right', 'db')}\n${outbound('wrong', 'orders')}`,
  )
  const port = proxy.port('right')
  const words = Array.from({ length: 20 }, (_, at) => `word ${at}`)
  expect(await Promise.all(words.map((word) => askAfterEnd(port, word)))).toEqual(words)
  expect(await askAfterEnd(port, MEGABYTE)).toBe(MEGABYTE)
  const before = workload.seen()
  expect(await askAfterEnd(proxy.port('wrong'), 'hello')).not.toBe('hello')
  expect(workload.seen()).toBe(before)
  await workload[Symbol.asyncDispose]()
  expect(await askAfterEnd(port, 'hello')).not.toBe('hello')
  expect(proxy.access.at(-1)).toMatchObject({ response_flags: 'CONNECT' })
})
