/** docs/watching-the-proxy.md says what a proxy tells of itself: all of it, and nothing that is not there. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Verdict } from '../../policy/verdict.ts'
import { readProxyConfig } from '../../proxy/config.ts'
import { RESPONSE_FLAGS } from '../../proxy/http/exchange.ts'
import { runProxy } from '../../proxy/main.ts'
import type { OpenListener } from '../../proxy/serving-plane.ts'
import { ACCESS_FIELDS, CONNECTION_FLAGS } from '../../proxy/telemetry/access-fields.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { memoryLog } from '../fakes/memory-log.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../fakes/svids.ts'
import { openWorkloadEndpoint } from '../fakes/workload-endpoint.ts'
import { freePort } from '../processes/free-port.ts'
import { get } from './get.ts'
import { mtlsMode } from './mesh.ts'
import { startListeners } from './pair.ts'

const DOCUMENT = join(import.meta.dirname, '../../docs/watching-the-proxy.md')
const document = readFileSync(DOCUMENT, 'utf8')

/** From a heading to the next one. */
function under(heading: string): string {
  const [, found] = document.split(`\n${heading}\n`)
  if (found === undefined) throw new Error(`the document has no ${heading}`)
  return found.split(/^##/m)[0] ?? ''
}

const codes = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

/** What the first cells of tables name. */
const named = (part: string) =>
  [...part.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) => codes(cell))

const blocks = (language: string) =>
  [...document.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, block = '']) => block,
  )

/** What is not there in both is shown by its name. */
function expectSame(told: readonly string[], real: Iterable<string>): void {
  expect(told.toSorted()).toEqual([...new Set(real)].toSorted())
}

const policies = (jwksPort: number) => `${mtlsMode('PERMISSIVE')}---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: trial, namespace: shop, annotations: { istio.io/dry-run: "true" } }
spec: { action: DENY, rules: [{ to: [{ operation: { paths: ["/x"] } }] }] }
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: shop }
spec: { jwtRules: [{ issuer: "https://a", jwksUri: "http://127.0.0.1:${jwksPort}/" }] }
`

const ca = await currentCa('example.org')
const db = await identityOf(ca, '/ns/shop/sa/db')

/** In plaintext. One that is refused is over as well. */
async function knock(port: number): Promise<void> {
  const client = connect(port, '127.0.0.1').on('error', () => {})
  client.end('GET / HTTP/1.0\r\n\r\n')
  await text(client).catch(() => '')
}

/** A whole proxy that has seen a request, a connection, and somebody whom it refused. */
async function startProxy() {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-told-'))
  const workload = createServer((_, response) => void response.end('{"keys": []}'))
  await once(workload.listen(0, '127.0.0.1'), 'listening')
  const { port } = workload.address() as AddressInfo // cast: it listens on TCP
  writeFileSync(join(dir, 'policies.yaml'), policies(port))
  const agent = await openWorkloadEndpoint({ clock: systemClock })
  agent.source.set({ identities: [db], bundle: ca.bundle })
  const [web, raw] = [await freePort(), await freePort()]
  const [strict, metrics] = [await freePort(), await freePort()]
  const socket = join(dir, 'admin.sock')
  const config = readProxyConfig({
    path: 'proxy.conf',
    text: `proxy { workload_api_socket = "${agent.path}"  policy_dir = "${dir}"
        access_log = "${join(dir, 'access.log')}"  admin { listen = "unix:${socket}" }
        inbound "web" { listen = "127.0.0.1:${web}"  upstream = "127.0.0.1:${port}" }
        inbound "raw" { listen = "127.0.0.1:${raw}"  upstream = "127.0.0.1:${port}"  protocol = "tcp" }
        inbound "strict" { listen = "127.0.0.1:${strict}"  upstream = "127.0.0.1:${port}"  mtls = "strict" }
        tracing { otlp_endpoint = "http://127.0.0.1:1" } }
      telemetry { Prometheus { host = "127.0.0.1"  port = ${metrics} }
        EnableTrustDomainLabel = true }`,
    ...{ flags: {}, env: {} },
    readText: () => '',
  })
  const stop = new AbortController()
  const ready = Promise.withResolvers<{ readonly open: readonly OpenListener[] }>()
  const over = runProxy(config, {
    ...{ log: memoryLog().log, clock: systemClock, signal: stop.signal, onReady: ready.resolve },
  })
  await Promise.race([ready.promise, over])
  await get(web)
  for (const to of [raw, strict]) await knock(to)
  return {
    metrics: async () => await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text(),
    lines: () => readFileSync(join(dir, 'access.log'), 'utf8').trimEnd().split('\n'),
    async ask(method: string, path: string, body?: string) {
      const asking = request({ socketPath: socket, method, path, agent: false })
      asking.end(body)
      const [response] = await once(asking, 'response')
      return { status: response.statusCode, body: JSON.parse(await text(response)) }
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await over
      await agent[Symbol.asyncDispose]()
      workload.closeAllConnections()
      workload.close()
      rmSync(dir, { recursive: true })
    },
  }
}

let proxy: Awaited<ReturnType<typeof startProxy>>
beforeAll(async () => {
  proxy = await startProxy()
})
afterAll(() => proxy[Symbol.asyncDispose]())

test('every field of the access log is told, and none that is never written', async () => {
  expectSame(named(under('### Fields')), ACCESS_FIELDS)
  await using listeners = await startListeners(
    new FakeTlsIdentity(contextOf(db, [ca.bundle])),
    `inbound "web" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:1" }
     inbound "raw" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:1"  protocol = "tcp" }
     inbound "strict" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:1"  mtls = "strict" }`,
    policies(1),
  )
  await get(listeners.port('web'))
  await knock(listeners.port('raw'))
  await knock(listeners.port('strict'))
  await expect.poll(() => listeners.access).toHaveLength(3)
  expectSame(
    ACCESS_FIELDS,
    listeners.access.flatMap((line) => Object.keys(line)),
  )
})

test('the lines that are shown have the form of those that are written', async () => {
  const shown = blocks('json').flatMap((block) => block.trimEnd().split('\n'))
  const lines = shown.map((line) => JSON.parse(line))
  expect(lines.map(({ kind }) => kind)).toEqual([
    ...['request', 'connection', 'connection', 'connection'],
  ])
  for (const line of lines) expect(Object.keys(line).filter((name) => !isField(name))).toEqual([])
  await expect.poll(() => proxy.lines()).toHaveLength(3)
  for (const line of proxy.lines())
    expect(Object.keys(JSON.parse(line)).filter((name) => !isField(name))).toEqual([])
})

const isField = (name: string) => ACCESS_FIELDS.some((field) => field === name)

const WHY = {
  ...{ 'no-allow-policy': true, 'allow-rule': true, 'deny-rule': true, 'no-allow-matched': true },
  ...{ 'provider-unasked': true, 'provider-missing': true, 'provider-refused': true },
} as const satisfies Record<Verdict['why'] | 'provider-refused', true>

test('every way to end and every reason of a verdict is told, and none beside them', () => {
  expectSame(named(under('### Why')), Object.keys(WHY))
  expectSame(named(under('### Response flags')), [...RESPONSE_FLAGS, ...CONNECTION_FLAGS])
})

interface Metric {
  readonly name: string
  readonly labels: readonly string[]
}

/** Node's own metrics are told as such. */
function realMetrics(exposed: string): readonly Metric[] {
  const types = [...exposed.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name)
  const own = types.filter((name) => !/^(process|nodejs)_/.test(name))
  return own.map((name) => {
    const series = [...exposed.matchAll(new RegExp(`^${name}(?:_sum)?\\{(.*)\\} `, 'gm'))]
    const labels = series.flatMap(([, written = '']) =>
      [...written.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label = '']) => label),
    )
    const isOurs = (label: string) => !['host', 'trust_domain'].includes(label)
    return { name, labels: [...new Set(labels)].filter(isOurs).toSorted() }
  })
}

const rows = (part: string) =>
  [...part.matchAll(/^\| (`.*) \|$/gm)].map(([, row = '']) =>
    row.split('|').map((cell) => cell.trim()),
  )

/** Labels of a group, such as those of the two parties, stand in a table of their own. */
function labelsIn(cell: string): readonly string[] {
  const groups = cell.split(', ').filter((word) => /^[a-z]+$/.test(word))
  const ofGroups = rows(under('### Labels')).filter(([, of = '']) =>
    of.split(', ').some((group) => groups.includes(group)),
  )
  return [...codes(cell), ...ofGroups.flatMap(([first = '']) => codes(first))].toSorted()
}

test('every metric of a running proxy is told with its labels, and none that it does not have', async () => {
  await expect.poll(proxy.metrics).toContain('steeple_jwks_age_seconds{')
  const exposed = await proxy.metrics()
  const told = rows(under('## Metrics')).map(
    ([name = '', type, labels = '']): Metric & { readonly type: string | undefined } => ({
      ...{ name: codes(name)[0] ?? '', type, labels: labelsIn(labels) },
    }),
  )
  const byName = (one: Metric, other: Metric) => (one.name < other.name ? -1 : 1)
  const real = realMetrics(exposed).map((metric) => ({
    ...metric,
    type: exposed.match(new RegExp(`^# TYPE ${metric.name} (.*)$`, 'm'))?.[1],
  }))
  expect(told.toSorted(byName)).toEqual(real.toSorted(byName))
  const always = ['host', 'trust_domain'].filter((label) => exposed.includes(`${label}="`))
  expectSame(named(under('### Labels')), [...real.flatMap(({ labels }) => labels), ...always])
  for (const { name } of real.filter(({ name }) => !/^steeple_proxy_(started|uptime)/.test(name)))
    expect(exposed).toMatch(new RegExp(`^# HELP ${name} .+\\.$`, 'm'))
})

test('queries name metrics and labels that there are', () => {
  const metrics = named(under('## Metrics'))
  const labels = named(under('### Labels'))
  const queries = blocks('promql')
  expect(queries.length).toBeGreaterThan(7)
  for (const query of queries) {
    const names = [...query.matchAll(/\b(?:istio|steeple)_\w+/g)].map(([name]) => name)
    expect(names).not.toEqual([])
    for (const name of names) expect(metrics).toContain(name.replace(/_(bucket|sum|count)$/, ''))
    const used = [
      ...[...query.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', ')),
      ...[...query.matchAll(/(\w+)\s*[=!]~?"/g)].map(([, label = '']) => label),
    ]
    for (const label of used.filter((name) => name !== 'le')) expect(labels).toContain(label)
  }
})

/** Of the admin endpoint, which answers with them who asks for what is not there. */
async function realRequests(): Promise<readonly string[]> {
  const { body: nothing } = await proxy.ask('GET', '/nothing')
  const { body: refused } = await proxy.ask('POST', '/nothing')
  const [, changes = ''] = /; there are (.*)$/.exec(refused.error) ?? []
  return [...nothing.pages.map((path: string) => `GET ${path}`), ...changes.split(', ')]
}

test('every request of the admin endpoint is told with a curl line, and none that it refuses', async () => {
  const real = await realRequests()
  expectSame(named(under('## The admin endpoint')), real)
  const lines = [...document.matchAll(/^curl (.*) http:\/\/localhost(\/\S*)$/gm)]
  const asked = lines.map(([, flags = '', path = '']) => ({
    method: /-X (\w+)/.exec(flags)?.[1] ?? 'GET',
    path,
    body: /-d '([^']*)'/.exec(flags)?.[1],
  }))
  expectSame(
    asked.map(({ method, path }) => `${method} ${path}`),
    real,
  )
  for (const { method, path, body } of asked) {
    if (path === '/drain') continue // the last thing that it would do
    expect((await proxy.ask(method, path, body)).status, `${method} ${path}`).toBe(200)
  }
})
