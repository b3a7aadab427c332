/** Addresses as policies and logs write them: an IPv4 address that came in over IPv6 is shown as what it is. */
import type { Socket } from 'node:net'

const MAPPED = '::ffff:'

/** @param address as Node gives it; undefined once the connection has gone */
export function plainIp(address: string | undefined): string {
  if (address === undefined) return ''
  return address.startsWith(MAPPED) && address.includes('.')
    ? address.slice(MAPPED.length)
    : address
}

export function showEndpoint(ip: string, port: number | undefined): string {
  if (ip === '') return 'unix'
  return ip.includes(':') ? `[${ip}]:${port ?? 0}` : `${ip}:${port ?? 0}`
}

export function sourceOf(socket: Socket): string {
  return showEndpoint(plainIp(socket.remoteAddress), socket.remotePort)
}

export function destinationOf(socket: Socket): string {
  return showEndpoint(plainIp(socket.localAddress), socket.localPort)
}
