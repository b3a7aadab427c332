/**
 * Stands before the TLS port when load balancers may send PROXY headers: reads the header of a trusted balancer's
 * connection and hands on what follows. Fails closed: a header that cannot be read ends the connection, and nobody but
 * a trusted balancer is believed: from others a header is just no TLS.
 *
 * @see SPIRE behaviour §10 — proxy_protocol_trusted_cidrs
 */
import { BlockList, createServer, isIPv6, type Server, type Socket } from 'node:net'
import type { Cidr } from '../config/cidr.ts'
import { plainIp } from './plain-ip.ts'
import { type ProxiedAddress, type ProxyHeader, parseProxyHeader } from './proxy-protocol.ts'

export interface ProxyFrontOptions {
  readonly trusted: readonly Cidr[]
  /** Who says nothing for so long is not waited for. */
  readonly headerTimeoutMs: number
  readonly keepAliveAfterMs: number
  /** The connection, from its first byte after the header on. */
  accept(socket: Socket): void
  onRefused(address: ProxiedAddress, why: string): void
}

export interface ProxyFront {
  readonly server: Server
  /** Whom the connection with this peer was passed on for; the peer itself when nobody said otherwise. */
  sourceOf(peer: ProxiedAddress): ProxiedAddress
}

export function openProxyFront(options: ProxyFrontOptions): ProxyFront {
  const trusted = new BlockList()
  for (const { address, prefixBits, family } of options.trusted) {
    trusted.addSubnet(address, prefixBits, family)
  }
  // A TCP connection has one peer address for as long as it lives, and this process no two with the same.
  const sources = new Map<string, ProxiedAddress>()
  const receive = async (socket: Socket) => {
    socket.on('error', () => {}) // TLS reports it; before that there is nothing to report
    const peer = { ip: plainIp(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 }
    if (!trusted.check(peer.ip, isIPv6(peer.ip) ? 'ipv6' : 'ipv4')) return options.accept(socket)
    const header = await readHeader(socket, options.headerTimeoutMs)
    if (header.kind === 'malformed') {
      socket.destroy()
      return options.onRefused(peer, `PROXY header: ${header.why}`)
    }
    if (socket.destroyed) return
    if (header.kind === 'header' && header.source !== undefined) {
      const key = keyOf(peer)
      sources.set(key, header.source)
      socket.once('close', () => sources.delete(key))
    }
    options.accept(socket)
  }
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: options.keepAliveAfterMs }
  const server = createServer(keepAlive, (socket) => void receive(socket))
  return { server, sourceOf: (peer) => sources.get(keyOf(peer)) ?? peer }
}

function keyOf({ ip, port }: ProxiedAddress): string {
  return `${ip} ${port}`
}

/** Takes the header, and not a byte more, from the socket. */
function readHeader(socket: Socket, timeoutMs: number): Promise<ProxyHeader> {
  return new Promise((resolve) => {
    let seen: Buffer = Buffer.alloc(0)
    const settle = (header: ProxyHeader) => {
      socket.setTimeout(0)
      socket.off('readable', look).off('end', onEnd).off('close', onEnd).off('timeout', onTimeout)
      const taken = header.kind === 'header' ? header.bytes : 0
      if (seen.length > taken && !socket.destroyed) socket.unshift(seen.subarray(taken))
      resolve(header)
    }
    const look = () => {
      const chunk: unknown = socket.read()
      if (!Buffer.isBuffer(chunk)) return
      seen = Buffer.concat([seen, chunk])
      const header = parseProxyHeader(seen)
      if (header.kind !== 'more') settle(header)
    }
    const onEnd = () => settle({ kind: 'malformed', why: 'the connection ended within it' })
    const onTimeout = () => settle({ kind: 'malformed', why: `none within ${timeoutMs} ms` })
    socket.on('readable', look).on('end', onEnd).on('close', onEnd).on('timeout', onTimeout)
    socket.setTimeout(timeoutMs)
  })
}
