/** Tunnels while policies, SVIDs and connections change: nothing that may pass fails, nothing that may not gets through. */
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { startListeners } from '../pair.ts'
import { ca, db, policy, web } from './hbone-client.ts'

const nextCa = await currentCa('example.org')
const bothRoots = {
  ...ca.bundle,
  x509Authorities: [...ca.bundle.x509Authorities, ...nextCa.bundle.x509Authorities],
}
const sourceOf = (identity: typeof web) => new FakeTlsIdentity(contextOf(identity, [bothRoots]))
const callers = (version: number) =>
  policy(
    `callers-${version}`,
    `{ rules: [{ from: [{ source: { principals: ["*/sa/web"] } }], to: [{ operation: { paths: [/public, /v${version}] } }] }] }`,
  )

async function startPair() {
  const workload = createServer((asked, response) => void response.end(asked.url))
  workload.listen(0, '127.0.0.1')
  await once(workload, 'listening')
  const { port } = workload.address() as AddressInfo // cast: it listens on TCP
  const [webSource, dbSource] = [sourceOf(web), sourceOf(db)]
  const server = await startListeners(dbSource, 'hbone { listen = "127.0.0.1:0" }', callers(0))
  const client = await startListeners(
    webSource,
    `outbound "db" {
      listen = "127.0.0.1:0"  upstream = "127.0.0.1:${port}"
      transport = "hbone"  hbone_address = "127.0.0.1:${server.port('hbone')}"
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

async function statusOf(port: number, path: string, agent: Agent | false): Promise<number> {
  const asking = request({ host: '127.0.0.1', port, path, agent })
  asking.end()
  const [response]: IncomingMessage[] = await once(asking, 'response')
  await response?.toArray()
  return response?.statusCode ?? 0
}

/** Twenty rounds take two seconds, and on a machine with much else to do half a minute. */
const PATIENCE = { timeout: 120_000 }

test(
  'while everything changes all the time, every request through tunnels gets its own answer',
  PATIENCE,
  async () => {
    await using pair = await startPair()
    const port = pair.client.port('db')
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    const seen = { '/public': new Set<number>(), '/private': new Set<number>() }
    let isOver = false
    let count = 0
    const ask = async (path: '/public' | '/private', by: Agent | false) => {
      while (!isOver) {
        seen[path].add(await statusOf(port, path, by))
        count += 1
      }
    }
    const asking = [...Array(8)].map((_, index) =>
      ask(index % 4 === 0 ? '/private' : '/public', index % 2 === 0 ? agent : false),
    )
    for (let round = 1; round <= 20; round += 1) {
      const before = count
      const issuer = round % 2 === 0 ? ca : nextCa
      pair.server.writePolicies(callers(round))
      pair.dbSource.set(contextOf(await identityOf(issuer, '/ns/shop/sa/db'), [bothRoots]))
      pair.webSource.set(contextOf(await identityOf(issuer, '/ns/shop/sa/web'), [bothRoots]))
      for (const { context } of [pair.server, pair.client]) {
        context.connections.rejudgePeers(context.identity.current().bundles, context.clock.now())
      }
      if (round % 5 === 0) {
        // Connections that carry tunnels go away, as they do when a proxy is replaced.
        for (const one of pair.server.context.connections.list()) {
          if (one.protocol === 'hbone') one.drain()
        }
      }
      await expect.poll(() => count, { timeout: 60_000 }).toBeGreaterThan(before + 10)
    }
    isOver = true
    await Promise.all(asking)
    agent.destroy()
    expect([...seen['/public']]).toEqual([200])
    expect([...seen['/private']]).toEqual([403])
    const tunnels = () =>
      [...pair.server.context.connections.list()].filter(({ protocol }) => protocol !== 'hbone')
    await expect.poll(() => tunnels().length, { timeout: 5_000 }).toBe(0)
  },
)
