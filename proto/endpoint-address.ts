/**
 * The address of a Workload API. Only the two forms of the specification are read; whatever else is in the address
 * refuses it, so that nobody connects to something unintended.
 *
 * @see Workload-Endpoint §4 — locating the endpoint
 */
import { isIP } from 'node:net'
import { IdentityError } from '../spiffe/error.ts'

/** In the form that gRPC takes: `unix:/path` or `ip:port`. */
export type EndpointAddress = string

export const ENDPOINT_FORMS =
  'expected unix:///absolute/path or tcp://ip:port, e.g. unix:///tmp/spire-agent/public/api.sock'

/** @param name of the option or variable, for the message; @throws IdentityError CONFIG_INVALID */
export function parseEndpointAddress(text: string, name: string): EndpointAddress {
  const refuse = (why: string): never => {
    const shown = JSON.stringify(text.slice(0, 256))
    throw new IdentityError('CONFIG_INVALID', `${name} is ${shown}: ${why}; ${ENDPOINT_FORMS}`)
  }
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return refuse('it has no scheme')
  const rest = text.slice(scheme.length + 1)
  if (/[?#]/.test(rest)) return refuse('it has a query or a fragment')
  if (scheme === 'unix') return `unix:${unixPath(rest, refuse)}`
  if (scheme === 'tcp') return tcpAddress(rest, refuse)
  return refuse(`the scheme ${scheme} is not allowed`)
}

type Refuse = (why: string) => never

function unixPath(rest: string, refuse: Refuse): string {
  const hasAuthority = rest.startsWith('//')
  const path = hasAuthority ? rest.slice(2) : rest
  if (path === '' || path === '/') return refuse('it has no path')
  if (!path.startsWith('/')) {
    return refuse(hasAuthority ? 'it has an authority' : 'its path is not absolute')
  }
  if (/[%\0]/.test(path)) return refuse('its path is encoded, expected plain characters')
  return path
}

function tcpAddress(rest: string, refuse: Refuse): string {
  if (!rest.startsWith('//')) return refuse('it has no authority')
  const authority = rest.slice(2)
  if (authority.includes('@')) return refuse('it has user information')
  if (authority.includes('/')) return refuse('it has a path')
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(authority) ?? []
  if (port === undefined) return refuse('it is not an IP address and a port')
  if (bracketed === undefined ? isIP(plain ?? '') !== 4 : isIP(bracketed) !== 6) {
    return refuse('its host is not an IP address')
  }
  if (Number(port) < 1 || Number(port) > 65_535) return refuse('its port is out of range')
  return authority
}
