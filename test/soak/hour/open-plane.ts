/** What the hour is spent with: a server, two agents, and a proxy on each node, one of which calls a program through the other. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Agent, type Server, startAgent, startServer } from '../../processes/cluster.ts'
import { giveIdentity, type RunningProxy, startProxy } from '../../processes/proxy.ts'

export interface Plane extends AsyncDisposable {
  readonly server: Server
  /** Of the caller and of the called. */
  readonly agents: readonly [Agent, Agent]
  readonly inbound: RunningProxy
  readonly outbound: RunningProxy
  /** Plain HTTP to the outbound proxy goes through both. */
  readonly port: number
}

/** Paths that the policy lets pass, and not. */
export const ALLOWED = '/public'
export const DENIED = '/private'

const POLICY = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: callers, namespace: shop }
spec:
  rules:
    - from: [{ source: { principals: ["example.org/ns/shop/sa/web"] } }]
      to: [{ operation: { paths: ["${ALLOWED}"] } }]
`

export interface PlaneOptions {
  readonly caTtlSeconds: number
  readonly svidTtlSeconds: number
}

const BODY = 'x'.repeat(1_024)

export async function openPlane({ caTtlSeconds, svidTtlSeconds }: PlaneOptions): Promise<Plane> {
  await using stack = new AsyncDisposableStack()
  const backend = createServer((_asked, response) => void response.end(BODY))
  backend.listen(0, '127.0.0.1')
  await once(backend, 'listening')
  stack.defer(() => {
    backend.close()
    backend.closeAllConnections()
  })
  const { port: backendPort } = backend.address() as AddressInfo // cast: it listens on TCP
  const logLevel = 'INFO'
  const settings = `ca_ttl = "${caTtlSeconds}s"
  default_x509_svid_ttl = "${svidTtlSeconds}s"  default_jwt_svid_ttl = "${svidTtlSeconds}s"`
  const server = stack.use(await startServer('steeple', { settings, logLevel }))
  const web = stack.use(await startAgent('steeple', server, { logLevel }))
  const db = stack.use(await startAgent('steeple', server, { logLevel }))
  await giveIdentity(server, web, '/ns/shop/sa/web')
  await giveIdentity(server, db, '/ns/shop/sa/db')
  const inbound = stack.use(
    await startProxy(db, {
      settings: `inbound "http" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${backendPort}" }`,
      policies: { 'callers.yaml': POLICY },
    }),
  )
  const outbound = stack.use(
    await startProxy(web, {
      settings: `outbound "db" {
        listen = "127.0.0.1:0"  upstream = "127.0.0.1:${(await inbound.address('http')).port}"
        authorize = ["spiffe://${server.trustDomain}/ns/shop/sa/db"]
      }`,
    }),
  )
  const { port } = await outbound.address('db')
  const opened = stack.move()
  return {
    ...{ server, agents: [web, db], inbound, outbound, port },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
