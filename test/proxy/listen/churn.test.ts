/** Changes while traffic flows: nothing that may pass fails, nothing that may not gets through, nothing is left over. */
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, test } from 'vitest'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { startListeners } from '../pair.ts'

const ca = await currentCa('example.org')
const nextCa = await currentCa('example.org')
const [web, db] = await Promise.all([
  identityOf(ca, '/ns/shop/sa/web'),
  identityOf(ca, '/ns/shop/sa/db'),
])
const bothRoots = {
  ...ca.bundle,
  x509Authorities: [...ca.bundle.x509Authorities, ...nextCa.bundle.x509Authorities],
}
const sourceOf = (identity: typeof web) => new FakeTlsIdentity(contextOf(identity, [bothRoots]))

const policy = (version: number) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: callers-${version}, namespace: shop }
spec:
  rules:
    - from: [{ source: { principals: ["example.org/ns/shop/sa/web"] } }]
      to: [{ operation: { paths: ["/public"] } }, { operation: { paths: ["/version-${version}"] } }]
`

async function startPair() {
  const workload = createServer((asked, response) => void response.end(asked.url))
  workload.listen(0, '127.0.0.1')
  await once(workload, 'listening')
  const { port } = workload.address() as AddressInfo // cast: it listens on TCP
  const [webSource, dbSource] = [sourceOf(web), sourceOf(db)]
  const inbound = `inbound "db" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${port}" }`
  const server = await startListeners(dbSource, inbound, policy(0))
  const client = await startListeners(
    webSource,
    `outbound "db" {
      listen = "127.0.0.1:0"  upstream = "127.0.0.1:${server.port('db')}"
      authorize = ["spiffe://example.org/ns/shop/sa/db"]
    }`,
  )
  return {
    ...{ server, client, webSource, dbSource },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      workload.close()
      workload.closeAllConnections()
    },
  }
}

async function statusOf(port: number, path: string, agent: Agent): Promise<number> {
  const asking = request({ host: '127.0.0.1', port, path, agent })
  asking.end()
  const [response]: IncomingMessage[] = await once(asking, 'response')
  await response?.toArray()
  return response?.statusCode ?? 0
}

test('while policies and SVIDs change all the time, every request gets its own answer', async () => {
  await using pair = await startPair()
  const port = pair.client.port('db')
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  let isOver = false
  const seen = { '/public': new Set<number>(), '/private': new Set<number>() }
  let count = 0
  const ask = async (path: '/public' | '/private') => {
    while (!isOver) {
      seen[path].add(await statusOf(port, path, agent))
      count += 1
    }
  }
  const asking = [...Array(6)].map((_, index) => ask(index % 3 === 0 ? '/private' : '/public'))
  for (let round = 1; round <= 20; round += 1) {
    const before = count
    const issuer = round % 2 === 0 ? ca : nextCa
    pair.server.writePolicies(policy(round))
    pair.dbSource.set(contextOf(await identityOf(issuer, '/ns/shop/sa/db'), [bothRoots]))
    pair.webSource.set(contextOf(await identityOf(issuer, '/ns/shop/sa/web'), [bothRoots]))
    for (const { context } of [pair.server, pair.client]) {
      context.connections.rejudgePeers(context.identity.current().bundles, context.clock.now())
    }
    await expect.poll(() => count).toBeGreaterThan(before + 10)
  }
  isOver = true
  await Promise.all(asking)
  agent.destroy()
  expect([...seen['/public']]).toEqual([200])
  expect([...seen['/private']]).toEqual([403])
})

test('hundreds of short connections, also broken ones, leave nothing behind', async () => {
  await using pair = await startPair()
  const port = pair.client.port('db')
  const inboundPort = pair.server.port('db')
  const one = async (index: number) => {
    if (index % 4 === 0) return await statusOf(port, '/public', new Agent())
    const socket = connect(index % 4 === 1 ? port : inboundPort, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    if (index % 4 === 2) socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0]))
    socket.resetAndDestroy()
    return 200
  }
  for (let round = 0; round < 10; round += 1) {
    const statuses = await Promise.all([...Array(40)].map((_, index) => one(index)))
    expect(new Set(statuses)).toEqual(new Set([200]))
  }
  const sizes = () =>
    [pair.server, pair.client].map(
      ({ context }) =>
        [...context.connections.list()].filter(({ listener }) => !listener.endsWith('upstream'))
          .length,
    )
  // The outbound proxy keeps connections for the next requests; the inbound one has their other ends.
  await expect.poll(() => sizes()[1], { timeout: 5_000 }).toBe(0)
})
