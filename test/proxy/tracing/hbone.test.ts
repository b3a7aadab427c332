import { expect, test } from 'vitest'
import { get } from '../get.ts'
import { startListeners } from '../pair.ts'
import { startCollector } from './collector.ts'
import {
  CLIENT,
  db,
  KEPT,
  SERVER,
  SPAN,
  sourceOf,
  startWorkload,
  TRACE,
  web,
} from './traced-pair.ts'

test('requests within a tunnel of HBONE have spans where somebody looks at them', async () => {
  using collector = await startCollector()
  using workload = await startWorkload()
  const tracing = `tracing { otlp_endpoint = "${collector.url}"  sampling = 100 }`
  await using server = await startListeners(
    sourceOf(db),
    `hbone { listen = "127.0.0.1:0" }  workload { http_ports = [${workload.port}] } ${tracing}`,
  )
  const outbound = (protocol: string) => `outbound "${protocol}" {
    listen = "127.0.0.1:0"  upstream = "127.0.0.1:${workload.port}"  protocol = "${protocol}"
    transport = "hbone"  hbone_address = "127.0.0.1:${server.port('hbone')}"
    authorize = ["spiffe://example.org/ns/shop/sa/db"]
  }`
  const settings = `${outbound('http')} ${outbound('auto')} ${tracing}`
  await using client = await startListeners(sourceOf(web), settings)
  await get(client.port('http'), '/in/tunnel', { traceparent: KEPT })
  await expect.poll(() => collector.spans).toHaveLength(2)
  const both = collector.spans.toSorted((one, other) => other.kind - one.kind)
  expect(both).toMatchObject([
    { kind: CLIENT, traceId: TRACE, parentSpanId: SPAN },
    { kind: SERVER, traceId: TRACE, parentSpanId: both[0]?.spanId, name: 'GET' },
  ])
  // Bytes to the caller's proxy, whatever they are.
  await get(client.port('auto'), '/in/tunnel', { traceparent: KEPT })
  await expect.poll(() => collector.spans).toHaveLength(3)
  expect(collector.spans[2]).toMatchObject({ kind: SERVER, parentSpanId: SPAN })
})
