/**
 * Keeps one caller from taking all the connections of a port that is open to everybody: who holds its share already is
 * cut off at once, and the others are served.
 */
import { isIPv6, type Server, type Socket } from 'node:net'
import { plainIp } from './plain-ip.ts'

/**
 * @param perNetwork open connections; of a server that itself bounds their number, and so how much is remembered here
 * @returns what cuts off all that are open: an HTTPS server does not know those that are still in their handshake
 */
export function shareConnections(server: Server, perNetwork: number): () => void {
  const open = new Map<string, number>()
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    const network = networkOf(socket.remoteAddress ?? '')
    const own = open.get(network) ?? 0
    if (own >= perNetwork) {
      socket.destroy()
      return
    }
    open.set(network, own + 1)
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      const left = (open.get(network) ?? 1) - 1
      if (left === 0) open.delete(network)
      else open.set(network, left)
    })
  })
  return () => {
    for (const socket of sockets) socket.destroy()
  }
}

const GROUPS = 8
const NETWORK_GROUPS = 4

/** An IPv4 address, or the /64 of an IPv6 one, for whoever has one address of it has them all. */
export function networkOf(address: string): string {
  const ip = plainIp(address)
  if (!isIPv6(ip)) return ip
  const [head = '', tail = ''] = ip.split('::')
  const [before, after] = [head, tail].map((text) => (text === '' ? [] : text.split(':')))
  const missing = GROUPS - (before?.length ?? 0) - (after?.length ?? 0)
  const zeros = Array.from({ length: Math.max(0, missing) }, () => '0')
  const groups = [...(before ?? []), ...zeros, ...(after ?? [])]
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`
}
