/** Mutual TLS between two ends of one program: each proves its SPIFFE ID, and nothing is configured. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { get } from 'node:https'
import {
  authorizeMemberOf,
  createMtlsServer,
  httpsAgent,
  openX509Source,
  peerIdOf,
  trustDomainOf,
} from '../workload/workload.ts'

await using source = await openX509Source() // at SPIFFE_ENDPOINT_SOCKET; follows every rotation
const us = authorizeMemberOf(trustDomainOf(source.current().defaultSvid.id))

const app = createServer((request, response) => response.end(`hello, ${peerIdOf(request)}\n`))
await using server = createMtlsServer(source, us, app)
const { port } = await server.listen({ port: 0, host: '127.0.0.1' })

const agent = httpsAgent(source, us)
const [response] = await once(get({ host: '127.0.0.1', port, agent }), 'response')
for await (const text of response) process.stdout.write(text)
agent.destroy()
