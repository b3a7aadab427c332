/** Tunnels and captured connections as the configuration has them, read from their keys. */
import type { Address } from '../../config/address.ts'
import type { Read } from '../../config/check.ts'
import type { Named } from '../../config/named.ts'
import type { IpBlock } from '../../policy/ip-block.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { PortProtocol, ProxyConfig, TlsVersion } from '../config.ts'
import type { capture, destination, hbone } from './mesh-keys.ts'
import type { PeerPattern } from './peer-pattern.ts'

export const HBONE_PORT = 15_008
/** By which rules of redirection tell our own connections: ztunnel's. */
export const SOCKET_MARK = 0x539

export interface HboneConfig {
  readonly name: string
  readonly listen: Address
  readonly addresses: readonly string[]
  /** Undefined: everybody whom policy admits. */
  readonly authorize: readonly PeerPattern[] | undefined
  readonly forwardClientCert: boolean
  readonly upstreamHost: string | undefined
}

export interface CaptureConfig {
  readonly inboundPort: number
  readonly outboundPort: number
  /** Undefined: everybody whom policy admits. */
  readonly authorize: readonly PeerPattern[] | undefined
  readonly forwardClientCert: boolean
  /** Undefined: rules tell our connections by `proxyUid`. */
  readonly mark: number | undefined
  /** Undefined: they tell them by the mark. */
  readonly proxyUid: number | undefined
  readonly minVersion: TlsVersion
  readonly mtls: 'policy' | 'strict'
  readonly unlisted: 'pass' | 'refuse'
}

export interface DestinationConfig {
  readonly name: string
  readonly addresses: readonly IpBlock[]
  /** Empty: all. */
  readonly ports: readonly number[]
  readonly transport: 'hbone' | 'mtls' | 'plaintext'
  /** Never empty unless `transport` is `plaintext`. */
  readonly authorize: readonly PeerPattern[]
  readonly hbonePort: number
  readonly protocol: PortProtocol
  readonly service: string | undefined
}

export function hboneConfig(
  read: Read<(typeof hbone)['keys']> | undefined,
): HboneConfig | undefined {
  if (read === undefined) return undefined
  return {
    name: 'hbone',
    listen: read.listen,
    addresses: read.addresses,
    authorize: read.authorize.length === 0 ? undefined : read.authorize,
    forwardClientCert: read.forward_client_cert,
    upstreamHost: read.upstream_host,
  }
}

export function captureConfig(
  read: Read<(typeof capture)['keys']> | undefined,
  hasPolicies: boolean,
): CaptureConfig | undefined {
  if (read === undefined) return undefined
  return {
    inboundPort: read.inbound_port,
    outboundPort: read.outbound_port,
    authorize: read.authorize.length === 0 ? undefined : read.authorize,
    forwardClientCert: read.forward_client_cert,
    mark: read.proxy_uid === undefined ? SOCKET_MARK : undefined,
    proxyUid: read.proxy_uid,
    minVersion: `TLSv${read.min_tls_version}` as const,
    mtls: read.mtls ?? (hasPolicies ? 'policy' : 'strict'),
    unlisted: read.unlisted,
  }
}

export function destinationConfig(
  read: Named<Read<(typeof destination)['keys']>>,
): DestinationConfig {
  return {
    name: read.name,
    addresses: read.addresses,
    ports: read.ports,
    transport: read.transport,
    authorize: read.authorize,
    hbonePort: read.hbone_port,
    protocol: read.protocol,
    service: read.service,
  }
}

/** Of an outbound block. @throws IdentityError CONFIG_INVALID for an address that nothing would be sent to */
export function hboneAddressOf(read: {
  readonly name: string
  readonly transport: 'mtls' | 'hbone'
  readonly hbone_address: Address | undefined
  readonly upstream: Address
}): Address | undefined {
  if (read.transport === 'mtls') {
    if (read.hbone_address === undefined) return undefined
    const why = 'expected transport "hbone", or no hbone_address'
    throw invalid(`proxy.outbound.${read.name}.hbone_address is set for transport mtls (${why})`)
  }
  if (read.hbone_address !== undefined) return read.hbone_address
  // No tunnel leads to a Unix socket, and `checkTransports` says so.
  return read.upstream.kind === 'unix' ? read.upstream : { ...read.upstream, port: HBONE_PORT }
}

/** What no single key can know. @throws IdentityError CONFIG_INVALID */
export function checkTransports(path: string, config: ProxyConfig): void {
  const { outbound, destinations, hbone, capture } = config
  for (const { name, upstream, hbone: address } of outbound) {
    if (address === undefined || upstream.kind === 'tcp') continue
    throw invalid(`${path}: proxy.outbound.${name}.upstream is a Unix socket, expected host:port`)
  }
  for (const { name, hbone: address, alpn, serverName, minVersion } of outbound) {
    if (address === undefined) continue
    const unused = [
      ...(alpn === undefined ? [] : ['alpn']),
      ...(serverName === undefined ? [] : ['server_name']),
      ...(minVersion === 'TLSv1.3' ? [] : ['min_tls_version']),
    ]
    if (unused.length === 0) continue
    const why = 'tunnels are TLS 1.3 with h2 and without a name; expected it left out'
    throw invalid(`${path}: proxy.outbound.${name}.${unused[0]} with transport hbone (${why})`)
  }
  if (hbone?.listen.kind === 'unix') {
    throw invalid(`${path}: proxy.hbone.listen is a Unix socket, expected ip:port`)
  }
  if (destinations.length > 0 && capture === undefined) {
    const why = 'only captured connections have destinations; add a capture block'
    throw invalid(`${path}: proxy.destination without proxy.capture (${why})`)
  }
  for (const { name, transport, authorize } of destinations) {
    if (transport === 'plaintext' || authorize.length > 0) continue
    const expected = 'expected who may answer, or transport plaintext'
    throw invalid(`${path}: proxy.destination.${name}.authorize is empty (${expected})`)
  }
}

function invalid(message: string): IdentityError {
  return new IdentityError('CONFIG_INVALID', message)
}
