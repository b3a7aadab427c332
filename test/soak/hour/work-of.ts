/** What an hour is filled with: everything that operators, nodes, workloads and their callers do, some of each every second. */
import { once } from 'node:events'
import { Agent as HttpAgent, type IncomingMessage, request } from 'node:http'
import { credentials, type ServiceError } from '@grpc/grpc-js'
import { agentApi, bundleApi, entryApi } from '../../../proto/load.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { openJwtSource } from '../../../workload/jwt-source.ts'
import { authorizeAny } from '../../../workload/tls/authorize.ts'
import { connectMtls } from '../../../workload/tls/connect-mtls.ts'
import { openX509Source } from '../../../workload/x509-source.ts'
import { byJoinTokens, simulateAgents } from '../../processes/simulated-agents.ts'
import { ALLOWED, DENIED, type Plane } from './open-plane.ts'
import type { Work } from './paced.ts'

/** Nobody has these users; entries for them are looked after all the same. */
const FIRST_UID = 300_000
const UIDS = 1_000
/** No single piece of work takes longer, or it has failed. */
const MOST_MS = 30_000

type Done<T> = (error: ServiceError | null, answer?: T) => void

/** A call over the administrators' socket. */
function ask<T>(call: (done: Done<T>) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, answer) => {
      if (error !== null || answer === undefined) reject(error ?? new Error('no answer'))
      else resolve(answer)
    })
  })
}

export async function workOf(plane: Plane): Promise<readonly Work[]> {
  const [web] = plane.agents
  const socket = `unix://${web.socket}`
  return [
    entries(plane),
    await newcomers(plane),
    administration(plane),
    {
      name: 'a workload comes, and calls the other node by mutual TLS',
      everyMs: 1_000,
      async run() {
        await using source = await openX509Source({ socket, signal: AbortSignal.timeout(MOST_MS) })
        const { port } = await plane.inbound.address('http')
        const target = { host: '127.0.0.1', port, alpn: ['istio-http/1.1'] }
        const connection = await connectMtls(source, authorizeAny(), target)
        connection.write(`GET ${ALLOWED} HTTP/1.1\r\nhost: db\r\nconnection: close\r\n\r\n`)
        const answer = Buffer.concat(await connection.toArray()).toString('latin1')
        if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`answered ${answer.slice(0, 40)}`)
      },
    },
    {
      name: 'a workload gets a JWT-SVID, which another one believes',
      everyMs: 1_000,
      async run(round) {
        await using source = await openJwtSource({ socket, signal: AbortSignal.timeout(MOST_MS) })
        const audience = `audience-${round % 100}`
        const { token } = await source.fetchJwtSvid({ audience: [audience] })
        await source.validate(token, audience)
      },
    },
    ...[0, 1].map((at) => requests(plane, at)),
  ]
}

/** An entry is created on a node, changed and deleted. */
function entries({ server, agents: [web] }: Plane): Work {
  const client = new (entryApi())(`unix:${server.socket}`, credentials.createInsecure())
  const { trustDomain } = server
  const parent_id = { trust_domain: trustDomain, path: new URL(web.id).pathname }
  return {
    name: 'an entry is created, changed and deleted',
    everyMs: 500,
    async run(round) {
      const entry = {
        spiffe_id: { trust_domain: trustDomain, path: `/entry/${round}` },
        parent_id,
        selectors: [{ type: 'unix', value: `uid:${FIRST_UID + (round % UIDS)}` }],
      }
      const created = await ask<Results>((done) =>
        client.BatchCreateEntry({ entries: [entry] }, done),
      )
      const id = idOf(created)
      const changed = { ...entry, id, dns_names: ['changed.example'] }
      idOf(await ask<Results>((done) => client.BatchUpdateEntry({ entries: [changed] }, done)))
      await systemClock.sleep(100) // the agent may well have got an SVID meanwhile
      await ask((done) => client.BatchDeleteEntry({ ids: [id] }, done))
    },
  }
}

interface Results {
  readonly results: readonly {
    readonly status: { readonly code: number; readonly message: string } | null
    readonly entry: { readonly id: string } | null
  }[]
}

function idOf({ results: [result] }: Results): string {
  if (result?.status?.code !== 0) throw new Error(`refused: ${result?.status?.message}`)
  return result.entry?.id ?? ''
}

/** A node attests, is told everything, goes, and is forgotten. */
async function newcomers({ server }: Plane): Promise<Work> {
  const attestorOf = byJoinTokens(server.socket)
  const client = new (agentApi())(`unix:${server.socket}`, credentials.createInsecure())
  const { stdout: bundlePem } = await server.cli('steeple', 'bundle', 'show')
  const servers = [{ host: '127.0.0.1', port: server.port }] as const
  const { trustDomain } = server
  // The bundle of the beginning does not last: each is told the one of its time.
  let bundle = bundlePem
  return {
    name: 'a node attests, is told everything, and is deleted',
    everyMs: 5_000,
    async run(round) {
      if (round % 10 === 9) bundle = (await server.cli('steeple', 'bundle', 'show')).stdout
      const options = { servers, trustDomain, bundlePem: bundle, count: 1, attestorOf }
      const simulation = await simulateAgents(options)
      const [agent] = simulation.agents
      await simulation[Symbol.asyncDispose]()
      const path = new URL(agent?.id ?? '').pathname
      await ask((done) => client.DeleteAgent({ id: { trust_domain: trustDomain, path } }, done))
    },
  }
}

/** What consoles and watchdogs ask. */
function administration({ server, inbound, outbound }: Plane): Work {
  const entry = new (entryApi())(`unix:${server.socket}`, credentials.createInsecure())
  const agent = new (agentApi())(`unix:${server.socket}`, credentials.createInsecure())
  const bundle = new (bundleApi())(`unix:${server.socket}`, credentials.createInsecure())
  return {
    name: 'administrators and watchdogs ask',
    everyMs: 1_000,
    async run() {
      await ask((done) => entry.ListEntries({ page_size: 100 }, done))
      await ask((done) => agent.ListAgents({ page_size: 100 }, done))
      await ask((done) => bundle.GetBundle({}, done))
      for (const proxy of [inbound, outbound]) {
        await proxy.admin('GET', '/status')
        await proxy.admin('GET', '/connections')
      }
    },
  }
}

/** One in ten has a connection of its own, one in five is refused. */
function requests({ port }: Plane, at: number): Work {
  const kept = new HttpAgent({ keepAlive: true, maxSockets: 1 })
  return {
    name: `requests through both proxies, client ${at}`,
    everyMs: 50,
    async run(round) {
      const agent = round % 10 === 9 ? new HttpAgent() : kept
      const path = round % 5 === 4 ? DENIED : ALLOWED
      const asking = request({
        host: '127.0.0.1',
        port,
        path,
        agent,
        signal: AbortSignal.timeout(MOST_MS),
      })
      asking.end()
      const [response]: IncomingMessage[] = await once(asking, 'response')
      await response?.toArray()
      const wanted = path === ALLOWED ? 200 : 403
      if (response?.statusCode !== wanted) {
        throw new Error(`${path} was answered ${response?.statusCode}, expected ${wanted}`)
      }
    },
  }
}
