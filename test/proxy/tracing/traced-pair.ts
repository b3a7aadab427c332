/** Two proxies in a row that tell a collector of their spans, in front of a workload that tells what reached it. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { startListeners } from '../pair.ts'

const ca = await currentCa('example.org')
export const web = await identityOf(ca, '/ns/shop/sa/web')
export const db = await identityOf(ca, '/ns/shop/sa/db')
export const sourceOf = (identity: typeof web) =>
  new FakeTlsIdentity(contextOf(identity, [ca.bundle]))

export const TRACE = '0af7651916cd43dd8448eb211c80319c'
export const SPAN = 'b7ad6b7169203331'
export const KEPT = `00-${TRACE}-${SPAN}-01`
export const SERVER = 2
export const CLIENT = 3

const ONLY_PUBLIC = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: only-public, namespace: shop }
spec: { action: ALLOW, rules: [{ to: [{ operation: { paths: ["/public*", "/shop.Cart/*"] } }] }] }
`

interface PairOptions {
  /** Of the block `tracing`, beside the collector. */
  readonly settings?: string
  readonly isTraced?: boolean
  readonly url: string
  readonly protocol?: string
}

/** A proxy of `db` before a workload, and one of `web` before that proxy. */
export async function startPair(port: number, options: PairOptions) {
  const { settings = 'sampling = 100', isTraced = true, url, protocol = 'auto' } = options
  const tracing = isTraced ? `tracing { otlp_endpoint = "${url}"  ${settings} }` : ''
  const named = (name: string) => `workload { name = "${name}-1"  labels { app = "${name}" } }`
  const server = await startListeners(
    sourceOf(db),
    `inbound "db" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${port}" }
    ${tracing}  ${named('db')}`,
    ONLY_PUBLIC,
  )
  const client = await startListeners(
    sourceOf(web),
    `outbound "db" {
      listen = "127.0.0.1:0"  upstream = "127.0.0.1:${server.port('db')}"  protocol = "${protocol}"
      authorize = ["spiffe://example.org/ns/shop/sa/db"]
    }
    ${tracing}  ${named('web')}`,
  )
  return {
    ...{ server, client, port: client.port('db') },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** Tells what it was asked, `/public/503` with that status. */
export async function startWorkload() {
  const seen: IncomingHttpHeaders[] = []
  const server = createServer(({ url = '', headers }, response) => {
    seen.push(headers)
    response.statusCode = Number(/\d{3}$/.exec(url)?.[0] ?? 200)
    response.end('done')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  return {
    ...{ port, seen },
    [Symbol.dispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}
