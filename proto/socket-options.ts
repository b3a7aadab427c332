/**
 * What Node does not offer of sockets: where a redirected connection was going, and marks that rules of the kernel's
 * firewall tell our own connections by.
 */
import { closeSync } from 'node:fs'
import { isIPv6, Socket } from 'node:net'
import koffi from 'koffi'
import { IdentityError } from '../spiffe/error.ts'

const libc = koffi.load('libc.so.6')
const getsockopt = libc.func(
  'int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *length)',
)
const setsockopt = libc.func(
  'int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)',
)
const openSocket = libc.func('int socket(int family, int kind, int protocol)')

const AF_INET = 2
const AF_INET6 = 10
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_MARK = 36
const SOL_IP = 0
const SOL_IPV6 = 41
/** The same number for IPv6, where it is called IP6T_SO_ORIGINAL_DST. */
const SO_ORIGINAL_DST = 80
const SOCKADDR_IN_BYTES = 16
const SOCKADDR_IN6_BYTES = 28

export interface Endpoint {
  readonly ip: string
  readonly port: number
}

/**
 * Where the client was going before a rule sent its connection here.
 * @returns undefined when no rule did, or when the connection has closed
 */
export function originalDestinationOf(socket: Socket): Endpoint | undefined {
  const fd = descriptorOf(socket)
  if (fd === undefined) return undefined
  const isIpv6 = isIPv6(socket.remoteAddress ?? '') && !isMapped(socket.remoteAddress ?? '')
  const address = Buffer.alloc(isIpv6 ? SOCKADDR_IN6_BYTES : SOCKADDR_IN_BYTES)
  const level = isIpv6 ? SOL_IPV6 : SOL_IP
  if (getsockopt(fd, level, SO_ORIGINAL_DST, address, [address.length]) !== 0) return undefined
  return isIpv6
    ? { ip: showIpv6(address.subarray(8, 24)), port: address.readUInt16BE(2) }
    : { ip: address.subarray(4, 8).join('.'), port: address.readUInt16BE(2) }
}

/**
 * A socket that carries `mark`, not connected yet. It must be connected, by address and not by name, in the same turn.
 * @throws IdentityError UNAVAILABLE when the process may not mark sockets
 */
export function createMarkedSocket(family: 4 | 6, mark: number): Socket {
  const fd = openSocket(
    family === 4 ? AF_INET : AF_INET6,
    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
    0,
  )
  if (fd < 0) throw new IdentityError('UNAVAILABLE', `no socket for IPv${family} could be opened`)
  const value = Buffer.alloc(4)
  value.writeUInt32LE(mark)
  if (setsockopt(fd, SOL_SOCKET, SO_MARK, value, value.length) !== 0) {
    closeSync(fd)
    const why = 'sockets cannot be marked; the process needs CAP_NET_ADMIN or CAP_NET_RAW'
    throw new IdentityError('UNAVAILABLE', why)
  }
  return new Socket({ fd, allowHalfOpen: true })
}

function descriptorOf(socket: Socket): number | undefined {
  // Cast: Node has no public way to a socket's descriptor; `_handle` is not in its types.
  const fd = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd
  return fd === undefined || fd < 0 ? undefined : fd
}

const isMapped = (ip: string): boolean => ip.startsWith('::ffff:') && ip.includes('.')

/** Eight groups in full: it is compared as a number, never as a text. */
function showIpv6(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16)).join(':')
}
