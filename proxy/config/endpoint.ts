/** Addresses in the configuration: in the form that clients take, and whether nobody outside can reach them. */
import { isIP } from 'node:net'

/** A path of a Unix socket in the form that clients of the Workload API take. */
export function endpointOf(socket: string): string {
  return socket.startsWith('/') ? `unix://${socket}` : socket
}

/** Fails closed: any other name may lead anywhere. */
export function isLoopback(host: string): boolean {
  return (isIP(host) === 4 && host.startsWith('127.')) || host === '::1' || host === 'localhost'
}
