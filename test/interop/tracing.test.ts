/**
 * Spans of ours between those of Envoy's own OpenTelemetry tracer: one trace goes through both, each span the child of the one
 * before, whoever begins it and whatever was decided. Envoy's spans are read from the bytes that it exports.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, expect } from 'vitest'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../fakes/svids.ts'
import { freePort } from '../processes/free-port.ts'
import { start, until } from '../processes/process.ts'
import { get } from '../proxy/get.ts'
import { mtlsMode } from '../proxy/mesh.ts'
import { startListeners } from '../proxy/pair.ts'
import { startCollector } from '../proxy/tracing/collector.ts'
import { interop, peer } from './interop.ts'

const dir = mkdtempSync(join(tmpdir(), 'steeple-tracing-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const type = (name: string) => ({ '@type': `type.googleapis.com/envoy.${name}` })
const at = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } })

/** Traces every request and hands it to `upstream`. */
const listener = (name: string, port: number, upstream: string) => ({
  ...{ name, address: at(port) },
  filter_chains: [
    {
      filters: [
        {
          name: 'http',
          typed_config: {
            ...type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
            stat_prefix: name,
            tracing: {
              provider: {
                name: 'otel',
                typed_config: {
                  ...type('config.trace.v3.OpenTelemetryConfig'),
                  http_service: {
                    http_uri: { uri: 'http://otel/v1/traces', cluster: 'otel', timeout: '1s' },
                  },
                  service_name: name,
                },
              },
            },
            route_config: {
              virtual_hosts: [
                {
                  ...{ name: 'all', domains: ['*'] },
                  routes: [{ match: { prefix: '/' }, route: { cluster: upstream } }],
                },
              ],
            },
            http_filters: [
              { name: 'router', typed_config: type('extensions.filters.http.router.v3.Router') },
            ],
          },
        },
      ],
    },
  ],
})

const cluster = (name: string, port: number) => ({
  ...{ name, type: 'STATIC', connect_timeout: '1s' },
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: at(port) } }] }],
  },
})

interface Ports {
  readonly front: number
  readonly back: number
  readonly ours: number
  readonly workload: number
  readonly otel: number
}

async function startEnvoy({ front, back, ours, workload, otel }: Ports) {
  const path = join(dir, 'envoy.json')
  const config = {
    static_resources: {
      listeners: [listener('front', front, 'ours'), listener('back', back, 'workload')],
      clusters: [cluster('ours', ours), cluster('workload', workload), cluster('otel', otel)],
    },
    layered_runtime: {
      layers: [{ name: 'often', static_layer: { 'tracing.opentelemetry.flush_interval_ms': 200 } }],
    },
  }
  writeFileSync(path, JSON.stringify(config))
  const running = start(peer('envoy'), [
    ...['-c', path, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning'],
  ])
  const listens = until('Envoy to listen', async () => {
    const socket = connect(front, '127.0.0.1')
    await once(socket, 'connect')
    socket.destroy()
    return true
  })
  const ended = running.ended.then((code) => {
    throw new Error(`Envoy ended with ${code}: ${running.output().slice(-4000)}`)
  })
  await Promise.race([listens, ended])
  ended.catch(() => {}) // it ends with the test
  return running
}

async function startServer(hear: (headers: IncomingHttpHeaders, body: Buffer) => void) {
  const server = createServer(async (asked, response) => {
    hear(asked.headers, await buffer(asked))
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  return {
    port,
    [Symbol.dispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

interface EnvoySpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
}

/** Fields 1, 2 and 4 of a span in protobuf: 16 bytes, 8 bytes, an empty state if there is any, 8 bytes of the parent. */
const SPAN = /0a10([0-9a-f]{32})1208([0-9a-f]{16})(?:1a00)?2208([0-9a-f]{16})/g

const spansIn = (body: Buffer): readonly EnvoySpan[] =>
  [...body.toString('hex').matchAll(SPAN)].map(
    ([, traceId = '', spanId = '', parentSpanId = '']) => ({ traceId, spanId, parentSpanId }),
  )

const ca = await currentCa('example.org')
const db = await identityOf(ca, '/ns/shop/sa/db')

/** Envoy, our proxy in plaintext, Envoy again, and the workload. */
async function startChain() {
  const seen: IncomingHttpHeaders[] = []
  const exported: EnvoySpan[] = []
  const workload = await startServer((headers) => void seen.push(headers))
  const otel = await startServer((_, body) => void exported.push(...spansIn(body)))
  const collector = await startCollector()
  const [front, back] = [await freePort(), await freePort()]
  const proxy = await startListeners(
    new FakeTlsIdentity(contextOf(db, [ca.bundle])),
    `inbound "db" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${back}" }
    tracing { otlp_endpoint = "${collector.url}"  sampling = 100 }`,
    mtlsMode('PERMISSIVE'),
  )
  const ours = proxy.port('db')
  const envoy = await startEnvoy({
    ...{ front, back, ours, workload: workload.port, otel: otel.port },
  })
  return {
    ...{ front, ours, seen, exported, spans: collector.spans },
    async [Symbol.asyncDispose]() {
      await envoy[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
      for (const one of [workload, otel, collector]) one[Symbol.dispose]()
    },
  }
}

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const CALLER = 'b7ad6b7169203331'

interop(
  'our span is the child of Envoy’s before it and the parent of Envoy’s behind it',
  ['envoy'],
  async () => {
    await using chain = await startChain()
    expect(await get(chain.front, '/', { traceparent: `00-${TRACE}-${CALLER}-01` })).toBe(200)
    await expect.poll(() => chain.spans).toHaveLength(1)
    await expect.poll(() => chain.exported).toHaveLength(2)
    const [ours] = chain.spans
    const before = chain.exported.find(({ parentSpanId }) => parentSpanId === CALLER)
    const behind = chain.exported.find(({ parentSpanId }) => parentSpanId === ours?.spanId)
    expect(ours).toMatchObject({ traceId: TRACE, parentSpanId: before?.spanId })
    expect([before?.traceId, behind?.traceId]).toEqual([TRACE, TRACE])
    expect(chain.seen[0]?.traceparent).toBe(`00-${TRACE}-${behind?.spanId}-01`)
  },
)

interop('a trace that begins at our proxy is gone on with by Envoy', ['envoy'], async () => {
  await using chain = await startChain()
  await get(chain.ours)
  await expect.poll(() => chain.spans).toHaveLength(1)
  await expect.poll(() => chain.exported).toHaveLength(1)
  const [ours] = chain.spans
  expect(chain.exported).toMatchObject([{ traceId: ours?.traceId, parentSpanId: ours?.spanId }])
})

interop(
  'what a caller does not want kept is kept by neither, and the workload is told so',
  ['envoy'],
  async () => {
    await using chain = await startChain()
    await get(chain.front, '/', { traceparent: `00-${TRACE}-${CALLER}-00` })
    await get(chain.front, '/', { traceparent: `00-${TRACE}-${CALLER}-01` })
    await expect.poll(() => chain.spans).toHaveLength(1)
    await expect.poll(() => chain.exported).toHaveLength(2)
    expect(chain.seen[0]?.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
  },
)
