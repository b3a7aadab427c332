import { expect, test } from 'vitest'
import { openIstioMetrics } from '../../../proxy/telemetry/istio-metrics.ts'
import { callTo, partyLabels, placeOf, strangerParty } from '../../../proxy/telemetry/parties.ts'
import { createPlaintextCallers } from '../../../proxy/telemetry/plaintext-callers.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { createSeriesTable } from '../../../telemetry/series.ts'

test('counters and histograms are written as Prometheus reads them', () => {
  const table = createSeriesTable({ a_total: 'Things.', b: 'Sizes of things.' })
  table.counter('a_total', { who: 'x"\\\n' }).add(2)
  table.counter('a_total', { who: 'x"\\\n' }).add(1)
  const histogram = table.histogram('b', [1, 10], { who: 'y' })
  for (const value of [0.5, 1, 5, 100]) histogram.observe(value)
  expect(table.text()).toBe(`# HELP a_total Things.
# TYPE a_total counter
a_total{who="x\\"\\\\\\n"} 3
# HELP b Sizes of things.
# TYPE b histogram
b_bucket{who="y",le="1"} 2
b_bucket{who="y",le="10"} 3
b_bucket{who="y",le="+Inf"} 4
b_sum{who="y"} 106.5
b_count{who="y"} 4
`)
})

test('beyond the bound all further series are one, and nothing is lost from the total', () => {
  const table = createSeriesTable({ a_total: 'Things.' })
  for (let index = 0; index < 2_500; index += 1) {
    table.counter('a_total', { who: String(index) }).add(1)
  }
  const lines = table
    .text()
    .split('\n')
    .filter((line) => line.startsWith('a_total{'))
  expect(lines).toHaveLength(2_001)
  expect(lines.at(-1)).toBe('a_total{who="other"} 500')
})

const web = parseSpiffeId('spiffe://example.org/ns/shop/sa/web')

test('requests are counted under Istio’s names with who asked whom', () => {
  const metrics = openIstioMetrics()
  const self = { ...strangerParty(parseSpiffeId('spiffe://example.org/db')), workload: 'db' }
  const parties = {
    ...{ reporter: 'destination' as const, source: strangerParty(web), destination: self },
    isMutualTls: true,
  }
  metrics.http(parties).count({
    ...{ status: 403, grpcStatus: undefined, flags: '-', isGrpc: false },
    ...{ durationMs: 3, requestBytes: 0, responseBytes: 19 },
  })
  const text = metrics.text()
  expect(text).toMatch(
    /^istio_requests_total\{reporter="destination",.*response_code="403".*\} 1$/m,
  )
  expect(text).toContain('source_principal="spiffe://example.org/ns/shop/sa/web"')
  expect(text).toContain('source_workload_namespace="shop"')
  expect(text).toContain('destination_workload="db"')
  expect(text).toMatch(/^istio_request_duration_milliseconds_bucket\{.*le="5"\} 1$/m)
  expect(text).toMatch(/^istio_response_bytes_sum\{.*\} 19$/m)
})

test('only IDs of Istio’s shape have a namespace', () => {
  expect(placeOf(web)).toEqual({ namespace: 'shop', serviceAccount: 'web' })
  for (const path of ['', '/web', '/ns/shop', '/ns/shop/sa/web/more', '/x/ns/shop/sa/web']) {
    expect(placeOf(parseSpiffeId(`spiffe://example.org${path}`)), path).toBeUndefined()
  }
})

test('plaintext callers are remembered by port and address, the latest first, within a bound', () => {
  const callers = createPlaintextCallers(2)
  const at = (second: number) => new Date(second * 1000)
  callers.saw(80, 'a', at(1))
  callers.saw(80, 'b', at(2))
  callers.saw(80, 'a', at(3))
  callers.saw(81, 'a', at(4))
  expect(callers.list()).toEqual([
    { port: 81, sourceIp: 'a', connections: 1, refused: 0, firstSeen: at(4), lastSeen: at(4) },
    { port: 80, sourceIp: 'a', connections: 2, refused: 0, firstSeen: at(1), lastSeen: at(3) },
  ])
  expect(callers.forgotten).toBe(1)
})

test('a caller who was never let in is forgotten without a word: STRICT breaks nothing of it any more', () => {
  const callers = createPlaintextCallers(1)
  const at = (second: number) => new Date(second * 1000)
  callers.saw(80, 'a', at(1), true)
  callers.saw(80, 'b', at(2), true)
  callers.saw(80, 'b', at(3))
  expect(callers.list()).toMatchObject([{ sourceIp: 'b', connections: 1, refused: 1 }])
  expect(callers.forgotten).toBe(0)
})

test('a service is called by the first label of its name, and by all of an address', () => {
  const nameOf = (service: string) => {
    const destination = strangerParty(undefined, service)
    return partyLabels(callTo(destination, undefined)).destination_service_name
  }
  expect(nameOf('orders.shop.svc.cluster.local')).toBe('orders')
  expect(nameOf('localhost')).toBe('localhost')
  expect(nameOf('10.0.0.7')).toBe('10.0.0.7')
  expect(nameOf('fd00::7')).toBe('fd00::7')
})
