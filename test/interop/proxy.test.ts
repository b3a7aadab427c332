/** The proxy beside real agents and real programs: it knows no more of an agent than the Workload API. */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import { startAgent, startServer } from '../processes/cluster.ts'
import { run, start } from '../processes/process.ts'
import { giveIdentity, startProxy } from '../processes/proxy.ts'
import { interop, peer } from './interop.ts'

const policies = {
  'shop.yaml': `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: callers, namespace: shop }
spec:
  rules: [{ from: [{ source: { namespaces: [shop] } }], to: [{ operation: { paths: ["/public"] } }] }]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }
`,
}

async function statusOf(port: number, path: string): Promise<string> {
  const asking = request({ host: '127.0.0.1', port, path, agent: false })
  asking.end()
  try {
    const [response] = await once(asking, 'response')
    return `${response.statusCode} ${await text(response)}`
  } catch (error) {
    return String(error)
  }
}

interop(
  'two proxies under real spire-agents carry what policy allows, and nothing else',
  ['spire-server', 'spire-agent'],
  async () => {
    await using server = await startServer('spire')
    await using nodeA = await startAgent('spire', server)
    await using nodeB = await startAgent('spire', server)
    await giveIdentity(server, nodeA, '/ns/shop/sa/web')
    await giveIdentity(server, nodeB, '/ns/shop/sa/db')
    const workload = createServer((asked, response) => void response.end(asked.url))
    workload.listen(0, '127.0.0.1')
    await once(workload, 'listening')
    const { port } = workload.address() as AddressInfo // cast: it listens on TCP
    await using db = await startProxy(nodeB, {
      settings: `inbound "db" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${port}" }`,
      policies,
    })
    const inbound = await db.address('db')
    await using web = await startProxy(nodeA, {
      settings: `outbound "db" {
        listen = "127.0.0.1:0"  upstream = "127.0.0.1:${inbound.port}"
        authorize = ["spiffe://example.org/ns/shop/sa/db"]
      }`,
    })
    const outbound = await web.address('db')
    expect(await statusOf(outbound.port, '/public')).toBe('200 /public')
    expect(await statusOf(outbound.port, '/private')).toBe('403 RBAC: access denied')
    expect(await statusOf(inbound.port, '/public')).toMatch(/ECONNRESET|socket hang up/)
    workload.close()
  },
)

interop(
  'programs on go-spiffe call through an inbound proxy and answer behind an outbound one',
  ['spire-server', 'spire-agent', 'go-client'],
  async () => {
    await using server = await startServer('spire')
    await using nodeA = await startAgent('steeple', server)
    await using nodeB = await startAgent('spire', server)
    await giveIdentity(server, nodeA, '/ns/shop/sa/web')
    await giveIdentity(server, nodeB, '/ns/shop/sa/db')
    const workload = createServer((asked, response) => void response.end(`behind ${asked.url}`))
    workload.listen(0, '127.0.0.1')
    await once(workload, 'listening')
    const { port } = workload.address() as AddressInfo // cast: it listens on TCP
    await using inbound = await startProxy(nodeB, {
      settings: `inbound "db" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${port}" }`,
      policies,
    })
    const { port: dbPort } = await inbound.address('db')
    const called = await run(
      peer('go-client'),
      ['call', `https://127.0.0.1:${dbPort}/public`, 'spiffe://example.org/ns/shop/sa/db'],
      { env: { SPIFFE_ENDPOINT_SOCKET: `unix://${nodeA.socket}` } },
    )
    expect(JSON.parse(called.stdout || '{}'), called.stderr).toEqual({
      status: 200,
      body: 'behind /public',
    })
    await using serving = start(
      peer('go-client'),
      ['serve', '127.0.0.1:0', 'spiffe://example.org/ns/shop/sa/web'],
      { env: { SPIFFE_ENDPOINT_SOCKET: `unix://${nodeB.socket}` } },
    )
    const [, goPort = ''] = await serving.line(/"listening":"127\.0\.0\.1:(\d+)"/)
    await using outbound = await startProxy(nodeA, {
      settings: `outbound "go" {
        listen = "127.0.0.1:0"  upstream = "127.0.0.1:${goPort}"
        authorize = ["spiffe://example.org/ns/shop/sa/db"]
      }`,
    })
    const { port: webPort } = await outbound.address('go')
    const hello = await statusOf(webPort, '/')
    expect(hello).toBe('200 hello spiffe://example.org/ns/shop/sa/web')
    workload.close()
  },
)
