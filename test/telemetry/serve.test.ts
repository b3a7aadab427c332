/** The listeners for operators' tools over real sockets: health and metrics. */
import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { IdentityError } from '../../spiffe/error.ts'
import { type HealthCheck, serveHealth } from '../../telemetry/serve-health.ts'
import { serveMetrics } from '../../telemetry/serve-metrics.ts'
import { FakeClock } from '../fakes/clock.ts'
import { memoryLog } from '../fakes/memory-log.ts'

const CONFIG = { host: '127.0.0.1', port: 0, livePath: '/live', readyPath: '/ready' }

const clock = new FakeClock()
const { log, lines } = memoryLog()
afterEach(() => lines.splice(0))

async function ask(checks: readonly HealthCheck[], path: string, init: RequestInit = {}) {
  await using health = await serveHealth(CONFIG, { checks, clock, log })
  const response = await fetch(`http://127.0.0.1:${health.port}${path}`, init)
  const text = await response.text()
  return { status: response.status, type: response.headers.get('content-type'), text }
}

const well: HealthCheck = { name: 'server', check: async () => {} }
const failing = (more: Partial<HealthCheck> = {}): HealthCheck => ({
  name: 'catalog.datastore',
  check: () => Promise.reject(new IdentityError('UNAVAILABLE', 'the disk is full')),
  ...more,
})

test.for(['/live', '/ready', '/live?x=1'])(
  '%s is 200 with every part while all are well',
  async (path) => {
    expect(await ask([well, { ...well, name: 'server.ca' }], path)).toEqual({
      status: 200,
      type: 'application/json',
      text: '{"server":{},"server.ca":{}}\n',
    })
  },
)

test.for(['/live', '/ready'])('%s is 500 and says which part is unwell, and why', async (path) => {
  expect(await ask([well, failing()], path)).toMatchObject({
    status: 500,
    text: '{"server":{},"catalog.datastore":{"err":"the disk is full"}}\n',
  })
  expect(lines).toContainEqual(
    expect.objectContaining({ check: 'catalog.datastore', reason: 'the disk is full' }),
  )
})

test('what a restart would not help is not ready, and lives', async () => {
  const checks = [failing({ isOnlyReadiness: true })]
  expect(await ask(checks, '/ready')).toMatchObject({ status: 500 })
  expect(await ask(checks, '/live')).toMatchObject({ status: 200 })
})

test('a bug in a check is unwell too, and strangers are not told about it', async () => {
  const check = () => Promise.reject(new Error('secret detail'))
  const { status, text } = await ask([failing({ check })], '/live')
  expect([status, text]).toEqual([500, '{"catalog.datastore":{"err":"internal error"}}\n'])
})

test('a part that does not answer is unwell after five seconds', async () => {
  const check = () => new Promise<void>(() => {})
  const answer = ask([failing({ check })], '/ready')
  await clock.sleepers(1)
  clock.advance(5_000)
  expect(await answer).toMatchObject({
    status: 500,
    text: '{"catalog.datastore":{"err":"no answer within 5 s"}}\n',
  })
})

test.for(['/', '/liv', '/live/', '/metrics', '/__proto__', '/constructor'])(
  'there is nothing at %s',
  async (path) => {
    expect(await ask([well], path)).toMatchObject({ status: 404, text: '404 page not found\n' })
  },
)

test('requests at the same time ask the parts once', async () => {
  let asked = 0
  const gate = Promise.withResolvers<void>()
  const check = () => {
    asked += 1
    return gate.promise
  }
  await using health = await serveHealth(CONFIG, { checks: [failing({ check })], clock, log })
  const url = `http://127.0.0.1:${health.port}/live`
  const answers = Array.from({ length: 5 }, () => fetch(url))
  await expect.poll(() => asked).toBe(1)
  gate.resolve()
  for (const answer of answers) expect((await answer).status).toBe(200)
})

const METRICS = {
  prefix: 'spire_agent',
  trustDomain: 'prod.example.org',
  version: '1.2.3-dev',
  clock,
  log,
}
const TELEMETRY = {
  host: '127.0.0.1',
  port: 0,
  metricPrefix: undefined,
  hasHostnameLabel: false,
  hasTrustDomainLabel: true,
}

test('metrics say which process they are of, as SPIRE writes it', async () => {
  await using served = await serveMetrics({ ...METRICS, config: TELEMETRY })
  clock.advance(1_500)
  const response = await fetch(`http://127.0.0.1:${served.port}/metrics`)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain/)
  const text = await response.text()
  expect(text).toContain(
    'spire_agent_started{version="1_2_3_dev",trust_domain_id="prod_example_org",trust_domain="prod_example_org"} 1\n',
  )
  expect(text).toContain('spire_agent_uptime_in_ms{trust_domain="prod_example_org"} 1500\n')
  expect(text).toMatch(/^process_resident_memory_bytes/m)
})

test('a prefix of one’s own takes the place of the program’s', async () => {
  const config = { ...TELEMETRY, metricPrefix: 'mesh', hasTrustDomainLabel: false }
  await using served = await serveMetrics({ ...METRICS, config })
  const text = await (await fetch(`http://127.0.0.1:${served.port}/metrics`)).text()
  expect(text).toMatch(/^mesh_uptime_in_ms 0$/m)
  expect(text).not.toMatch(/^spire_agent/m)
})

test('without a configuration nothing listens', async () => {
  await using served = await serveMetrics({ ...METRICS, config: undefined })
  expect(served.port).toBeUndefined()
})

test('a port that is taken is told by the key that chose it', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await expect(serveMetrics({ ...METRICS, config: { ...TELEMETRY, port } })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/EADDRINUSE.*choose another telemetry.Prometheus.port$/),
  })
  await expect(serveHealth({ ...CONFIG, port }, { checks: [], clock, log })).rejects.toMatchObject({
    message: expect.stringMatching(/choose another health_checks.bind_port$/),
  })
  taken.close()
})
