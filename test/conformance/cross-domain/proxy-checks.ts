/** Chains that the proxy judges: of callers, of those whom it calls, of both ends of tunnels, and of connections that are open. */
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { distrustOf } from '../../../proxy/identity/still-trusted.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { contextOf, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { openTunnel } from '../../proxy/hbone/hbone-client.ts'
import { startListeners } from '../../proxy/pair.ts'
import {
  FakeEnforcement,
  inboundConfig,
  openTestContext,
  startBackend,
  startInbound,
  startOutbound,
} from '../../proxy/running-proxy.ts'
import { ours, type Presented } from './attacks.ts'
import type { ChainCheck } from './chain-check.ts'
import { dial, hears, serveAs } from './raw-tls.ts'

const PATH = '/ns/shop/sa/api'
const FEDERATED = ['partner.org', 'third.org'] as const
const db = await identityOf(ours, '/ns/shop/sa/db')
const sourceOf = ({ bundles }: Presented) => new FakeTlsIdentity(contextOf(db, bundles))

async function callInbound(presented: Presented): Promise<boolean> {
  await using backend = await startBackend((socket) => void socket.end('hello'))
  using test = openTestContext(sourceOf(presented))
  const config = inboundConfig(backend.port)
  await using proxy = await startInbound(test.context, new FakeEnforcement(), config, FEDERATED)
  const socket = dial(presented.identity, proxy.port, [])
  const heard = await hears(socket)
  socket.destroy()
  return heard || backend.seen() > 0
}

async function callThroughOutbound(presented: Presented): Promise<boolean> {
  const { identity } = presented
  await using server = await serveAs(identity, (socket) => void socket.end('hello'))
  using test = openTestContext(sourceOf(presented))
  await using proxy = await startOutbound(test.context, server.port, identity.id)
  const socket = connect(proxy.port, '127.0.0.1')
  const heard = await hears(socket)
  socket.destroy()
  return heard
}

async function openTunnelIn(presented: Presented): Promise<boolean> {
  await using backend = await startBackend((socket) => void socket.end('hello'))
  await using proxy = await startListeners(
    sourceOf(presented),
    `hbone { listen = "127.0.0.1:0" }
    workload { tcp_ports = [${backend.port}] }
    mesh { federated_trust_domains = [${FEDERATED.map((one) => `"${one}"`).join()}] }`,
  )
  const socket = dial(presented.identity, proxy.port('hbone'), ['h2'])
  const session = connectHttp2('http://hbone', { createConnection: () => socket })
  session.on('error', () => {}) // the tunnel ends then
  const { status } = await openTunnel(session, `127.0.0.1:${backend.port}`)
  session.destroy()
  return status === 200 || backend.seen() > 0
}

async function tunnelOut(presented: Presented): Promise<boolean> {
  let isGreeted = false
  await using server = await serveAs(
    presented.identity,
    (socket) => {
      // The first bytes of HTTP/2 come only from who believes the other end.
      socket.once('data', () => {
        isGreeted = true
        socket.destroy()
      })
    },
    ['h2'],
  )
  await using proxy = await startListeners(
    sourceOf(presented),
    `outbound "api" {
      listen = "127.0.0.1:0"  upstream = "127.0.0.1:9"  protocol = "tcp"
      transport = "hbone"  hbone_address = "127.0.0.1:${server.port}"
      authorize = ["${presented.identity.id}"]
    }`,
  )
  const socket = connect(proxy.port('api'), '127.0.0.1')
  await once(socket, 'connect')
  await hears(socket)
  socket.destroy()
  return isGreeted
}

/** It was believed when its connection began. */
async function staysOpen({ identity: { id, chain, expiresAt }, bundles }: Presented) {
  const now = systemClock.now()
  const peer = { id, chain, verifiedAt: now, authorityExpiresAt: expiresAt }
  return distrustOf(peer, new Map(bundles.map((one) => [one.trustDomain, one])), now) === undefined
}

const at = (place: string, judge: ChainCheck['judge']): ChainCheck => ({
  ...{ place, believes: 'federated', path: PATH, judge },
})

export const PROXY_CHECKS: readonly ChainCheck[] = [
  at('the proxy’s inbound listener', callInbound),
  at('the proxy’s outbound listener', callThroughOutbound),
  at('the proxy’s end of an incoming tunnel', openTunnelIn),
  at('the proxy’s end of an outgoing tunnel', tunnelOut),
  at('an open connection of the proxy, judged again', staysOpen),
]
