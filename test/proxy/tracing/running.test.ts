import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { expect, test } from 'vitest'
import { readProxyConfig } from '../../../proxy/config.ts'
import { runProxy } from '../../../proxy/main.ts'
import type { OpenListener } from '../../../proxy/serving-plane.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { openWorkloadEndpoint } from '../../fakes/workload-endpoint.ts'
import { freePort } from '../../processes/free-port.ts'
import { get } from '../get.ts'
import { mtlsMode } from '../mesh.ts'
import { startWorkers } from '../workers/running-workers.ts'
import { startCollector } from './collector.ts'

const ca = await currentCa('example.org')
const db = await identityOf(ca, '/ns/shop/sa/db')

async function listening(server: Server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  return port
}

const settingsOf = (upstream: number, url: string, listen = 0) => `
  inbound "db" { listen = "127.0.0.1:${listen}"  upstream = "127.0.0.1:${upstream}"  mtls = "policy" }
  tracing { otlp_endpoint = "${url}"  sampling = 100 }`

/** A whole proxy, and what it has counted. */
async function startProxy(settings: string) {
  const agent = await openWorkloadEndpoint({ clock: systemClock })
  agent.source.set({ identities: [db], bundle: ca.bundle })
  const metricsPort = await freePort()
  const config = readProxyConfig({
    path: 'proxy.conf',
    text: `proxy { workload_api_socket = "${agent.path}" ${settings} }
      telemetry { Prometheus { host = "127.0.0.1"  port = ${metricsPort} } }`,
    ...{ flags: {}, env: {} },
    readText: () => '',
  })
  const { log, lines } = memoryLog()
  const stop = new AbortController()
  const ready = Promise.withResolvers<{ readonly open: readonly OpenListener[] }>()
  const over = runProxy(config, {
    ...{ log, clock: systemClock, signal: stop.signal, onReady: ready.resolve },
  })
  await Promise.race([ready.promise, over])
  return {
    lines,
    metrics: async () => await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await over
      await agent[Symbol.asyncDispose]()
    },
  }
}

test('spans that wait when the proxy stops reach the collector before it ends, and are counted', async () => {
  using collector = await startCollector()
  const workload = createServer((_, response) => void response.end())
  const port = await freePort()
  const policies = 'mesh { root_namespace = "shop" }'
  const outbound = `outbound "out" { listen = "127.0.0.1:${port}"
    upstream = "127.0.0.1:${await listening(workload)}"  authorize = ["spiffe://example.org"] }`
  {
    await using proxy = await startProxy(
      `${outbound} ${policies} tracing { otlp_endpoint = "${collector.url}"  sampling = 100 }`,
    )
    await get(port) // nobody speaks TLS there, and that has its span
    expect(await proxy.metrics()).toContain('steeple_proxy_spans_total{outcome="dropped"} 0\n')
  }
  expect(collector.spans).toMatchObject([{ attributes: { 'http.response.status_code': '503' } }])
  workload.close()
})

test('a collector that hangs does not hold up a proxy that stops', async () => {
  const held = createTcpServer((socket) => void socket.on('error', () => {}))
  const reached = once(held, 'connection')
  const url = `http://127.0.0.1:${await listening(held)}`
  const port = await freePort()
  const proxy = await startProxy(
    `outbound "out" { listen = "127.0.0.1:${port}"  upstream = "127.0.0.1:1"
      authorize = ["spiffe://example.org"] }
    tracing { otlp_endpoint = "${url}"  sampling = 100 }`,
  )
  await get(port)
  await reached
  await proxy[Symbol.asyncDispose]()
  expect(proxy.lines.map(({ msg }) => msg)).toContain(
    'Spans are dropped: the collector did not take them in time',
  )
  held.close()
})

test('workers each export their own, and what they count is summed', async () => {
  using collector = await startCollector()
  const workload = createServer((_, response) => void response.end())
  const settings = settingsOf(await listening(workload), collector.url, await freePort())
  const many = 16
  {
    await using proxy = await startWorkers({
      identity: new FakeTlsIdentity(contextOf(db, [ca.bundle])),
      settings: `workers = 2 ${settings}`,
      policies: mtlsMode('PERMISSIVE'),
    })
    await Promise.all(Array.from({ length: many }, () => get(proxy.port('db'))))
    await expect.poll(() => collector.spans).toHaveLength(many)
    const counted = `steeple_proxy_spans_total{outcome="exported"} ${many}\n`
    await expect.poll(async () => (await proxy.workers.look()).metrics).toContain(counted)
  }
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(many)
  workload.close()
})
