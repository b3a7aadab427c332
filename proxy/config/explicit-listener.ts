/**
 * One listener without a file, as ghostunnel has it: `-inbound -listen A -upstream B`, or `-outbound … -authorize ID`.
 * Fails closed: without a directory of policies an inbound one takes mutual TLS alone, and an outbound one must be told who
 * may answer.
 */
import { type Address, parseAddress } from '../../config/address.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { InboundConfig, OutboundConfig, PortProtocol, ProxyFlags } from '../config.ts'
import { parsePeerPattern } from './peer-pattern.ts'

export interface Listeners {
  readonly inbound: readonly InboundConfig[]
  readonly outbound: readonly OutboundConfig[]
}

const NO_LISTENERS: Listeners = { inbound: [], outbound: [] }

/** `-inbound -listen A -upstream B`, as ghostunnel has it. @throws IdentityError CONFIG_INVALID */
export function explicitListener(flags: ProxyFlags, hasPolicies: boolean): Listeners {
  const isInbound = flags.inbound === true
  if (!isInbound && flags.outbound !== true) {
    if (flags.listen || flags.upstream || flags.protocol || (flags.authorize ?? []).length > 0) {
      throw invalid('-listen, -upstream, -protocol and -authorize need -inbound or -outbound')
    }
    return NO_LISTENERS
  }
  if (isInbound && flags.outbound === true)
    throw invalid('-inbound and -outbound exclude each other')
  const listen = addressOf('-listen', flags.listen, 0)
  const upstream = addressOf('-upstream', flags.upstream, 1)
  const protocol = protocolOf(flags.protocol)
  const authorize = (flags.authorize ?? []).map(parsePeerPattern)
  const shared = { name: 'flags', listen, upstream, protocol, minVersion: 'TLSv1.3' as const }
  if (isInbound) {
    const mtls = hasPolicies ? ('policy' as const) : ('strict' as const)
    const workloadPort = portOf(upstream) ?? portOf(listen)
    const peers = authorize.length === 0 ? undefined : authorize
    return {
      inbound: [
        { ...shared, ...{ mtls, workloadPort, authorize: peers }, forwardClientCert: true },
      ],
      outbound: [],
    }
  }
  if (authorize.length === 0) {
    throw invalid('-outbound needs -authorize: which SPIFFE IDs may answer at -upstream')
  }
  const nothing = { alpn: undefined, hbone: undefined, serverName: undefined, service: undefined }
  return { inbound: [], outbound: [{ ...shared, ...nothing, authorize }] }
}

function addressOf(flag: string, text: string | undefined, leastPort: 0 | 1): Address {
  const address = parseAddress(text ?? '', leastPort)
  if (address !== undefined) return address
  const seen = text === undefined || text === '' ? 'is missing' : `is ${JSON.stringify(text)}`
  throw invalid(`${flag} ${seen} (expected host:port, such as 127.0.0.1:8080, or unix:/path)`)
}

function protocolOf(text: string | undefined): PortProtocol {
  switch (text) {
    case undefined:
    case '':
      return 'auto'
    case 'auto':
    case 'http':
    case 'http2':
    case 'tcp':
      return text
    default:
      throw invalid(`-protocol is ${JSON.stringify(text)} (expected auto, http, http2 or tcp)`)
  }
}

/** Undefined for Unix sockets, and where any free port will do. */
export function portOf(address: Address): number | undefined {
  return address.kind === 'tcp' && address.port !== 0 ? address.port : undefined
}

function invalid(message: string): IdentityError {
  return new IdentityError('CONFIG_INVALID', message)
}
