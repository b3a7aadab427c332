/** Where to listen and where to connect, as one text: `127.0.0.1:8080`, `[::1]:8080`, `orders.shop:8443`, `unix:/run/app.sock`. */
import { isIP } from 'node:net'
import { type Value, value } from './value.ts'

export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

const MAX_PORT = 65_535
/** Linux keeps 108 bytes for the path of a socket, the last of them zero. */
const MAX_SOCKET_PATH_BYTES = 107
const DNS_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*\.?$/

/** @returns undefined when the text is no address; port 0 is one only where something listens */
export function parseAddress(text: string, leastPort: 0 | 1): Address | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
    const fits = path.startsWith('/') && Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES
    return fits && !path.includes('\0') ? { kind: 'unix', path } : undefined
  }
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port < leastPort || port > MAX_PORT) return undefined
  if (bracketed !== undefined) {
    return isIP(bracketed) === 6 ? { kind: 'tcp', host: bracketed, port } : undefined
  }
  const host = plain ?? ''
  return isIP(host) === 4 || DNS_NAME.test(host) ? { kind: 'tcp', host, port } : undefined
}

/** As it is written in a file. */
export function showAddress(address: Address): string {
  // Of a path with three slashes in front two would be read as those of a URL.
  if (address.kind === 'unix')
    return address.path.startsWith('///') ? `unix://${address.path}` : `unix:${address.path}`
  return address.host.includes(':')
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`
}

/** Where to listen; port 0 takes any that is free. */
export function listenAddress(): Value<Address> {
  return address(0, 'ip:port to listen on, such as 0.0.0.0:8443, or unix:/path')
}

/** Where to connect. */
export function upstreamAddress(): Value<Address> {
  return address(1, 'host:port, such as 127.0.0.1:8080, or unix:/path')
}

function address(leastPort: 0 | 1, expected: string): Value<Address> {
  return value((node) => {
    if (node.kind === 'string' && node.value === '') return { kind: 'unset' }
    const parsed = node.kind === 'string' ? parseAddress(node.value, leastPort) : undefined
    if (parsed !== undefined) return { kind: 'value', value: parsed }
    const seen = node.kind === 'string' ? JSON.stringify(node.value.slice(0, 64)) : `a ${node.kind}`
    return { kind: 'wrong', message: `is ${seen}` }
  }, expected)
}
