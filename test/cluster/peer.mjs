/**
 * A workload of the cluster stories, run in the image itself: gets its SVID, takes mutual TLS from its trust domain on port
 * 8443, and, asked over loopback on port 8080, says which identities it has or calls another. Prints each change as JSON.
 */
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
} from '/opt/steeple/dist/workload/workload.js'

const source = await openX509Source()

/** SPIFFE IDs; none when they were taken away. */
function ids() {
  try {
    return source.current().svids.map(({ id }) => id)
  } catch {
    return []
  }
}
const print = () => console.log(JSON.stringify({ ids: ids(), at: Date.now() }))
print()
source.onChange(print)

const us = authorizeMemberOf(trustDomainOf(source.current().defaultSvid.id))
const app = createServer((request, response) => response.end(peerIdOf(request)))
await createMtlsServer(source, us, app).listen({ port: 8443, host: '0.0.0.0' })

async function call(url) {
  const agent = httpsAgent(source, us)
  try {
    const [answer] = await once(get(url, { agent, timeout: 5000 }), 'response')
    let body = ''
    for await (const text of answer) body += text
    return body
  } finally {
    agent.destroy()
  }
}

createServer(async (request, response) => {
  try {
    const target = new URL(request.url, 'http://localhost').searchParams.get('call')
    response.end(target === null ? JSON.stringify(ids()) : await call(target))
  } catch (error) {
    response.writeHead(502).end(String(error.message))
  }
}).listen(8080, '0.0.0.0')
