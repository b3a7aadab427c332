/**
 * The header that a load balancer puts before a connection to say whom it is passing on, in the text form (version 1)
 * and the binary one (version 2). Pure, and bounded: whoever sends more than a header may be, is malformed.
 *
 * @see https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt
 */
import { isIPv4, isIPv6 } from 'node:net'
import { plainIp } from './plain-ip.ts'

export interface ProxiedAddress {
  readonly ip: string
  readonly port: number
}

export type ProxyHeader =
  /** Nothing to decide yet. */
  | { readonly kind: 'more' }
  /** The connection begins with something else: it was not passed on. */
  | { readonly kind: 'none' }
  | {
      readonly kind: 'header'
      readonly bytes: number
      /** Undefined: the balancer speaks for itself (LOCAL, UNKNOWN), or of something without an IP address. */
      readonly source: ProxiedAddress | undefined
    }
  | { readonly kind: 'malformed'; readonly why: string }

const V1 = Buffer.from('PROXY ', 'latin1')
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** §2.1: the longest line there can be, with its end. */
const MAX_V1_BYTES = 107
const V2_FIXED_BYTES = 16
/** Addresses and extensions; what balancers send is a few hundred bytes. */
const MAX_V2_BODY_BYTES = 4096

export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, V1)) return bytes.length < V1.length ? { kind: 'more' } : parseV1(bytes)
  if (startsLike(bytes, V2))
    return bytes.length < V2_FIXED_BYTES ? { kind: 'more' } : parseV2(bytes)
  return bytes.length === 0 ? { kind: 'more' } : { kind: 'none' }
}

/** As far as both go. */
function startsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length)
  return length > 0 && bytes.subarray(0, length).equals(signature.subarray(0, length))
}

function parseV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf('\r\n')
  if (end < 0) {
    return bytes.length < MAX_V1_BYTES
      ? { kind: 'more' }
      : malformed(`no end of line within ${MAX_V1_BYTES} bytes`)
  }
  const length = end + 2
  const [, family, source = '', target = '', from = '', to = '', ...others] = bytes
    .subarray(0, end)
    .toString('latin1')
    .split(' ')
  if (family === 'UNKNOWN') return { kind: 'header', bytes: length, source: undefined }
  if (family !== 'TCP4' && family !== 'TCP6') return malformed('neither TCP4, TCP6 nor UNKNOWN')
  const isAddress = family === 'TCP4' ? isIPv4 : isIPv6
  const port = portOf(from)
  if (!isAddress(source) || !isAddress(target) || others.length > 0) {
    return malformed(`not two ${family} addresses and two ports`)
  }
  if (port === undefined || portOf(to) === undefined) return malformed('a port is no port')
  return { kind: 'header', bytes: length, source: { ip: plainIp(source), port } }
}

function portOf(text: string): number | undefined {
  const port = /^(0|[1-9]\d{0,4})$/.test(text) ? Number(text) : Number.NaN
  return port <= 65_535 ? port : undefined
}

const LOCAL = 0x20
const PROXY = 0x21
const TCP4 = 0x11
const TCP6 = 0x21
const TCP4_BYTES = 12
const TCP6_BYTES = 36

function parseV2(bytes: Buffer): ProxyHeader {
  const command = bytes.readUInt8(12)
  const family = bytes.readUInt8(13)
  const bodyBytes = bytes.readUInt16BE(14)
  if (command !== LOCAL && command !== PROXY) return malformed('neither LOCAL nor PROXY')
  if (bodyBytes > MAX_V2_BODY_BYTES) return malformed(`more than ${MAX_V2_BODY_BYTES} bytes`)
  const length = V2_FIXED_BYTES + bodyBytes
  if (bytes.length < length) return { kind: 'more' }
  const body = bytes.subarray(V2_FIXED_BYTES, length)
  if (command === LOCAL) return { kind: 'header', bytes: length, source: undefined }
  switch (family) {
    case TCP4: {
      if (bodyBytes < TCP4_BYTES) return malformed('too short for IPv4')
      const ip = body.subarray(0, 4).join('.')
      return { kind: 'header', bytes: length, source: { ip, port: body.readUInt16BE(8) } }
    }
    case TCP6: {
      if (bodyBytes < TCP6_BYTES) return malformed('too short for IPv6')
      const source = { ip: ipv6Of(body.subarray(0, 16)), port: body.readUInt16BE(32) }
      return { kind: 'header', bytes: length, source }
    }
    default:
      return { kind: 'header', bytes: length, source: undefined }
  }
}

function ipv6Of(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16))
  return plainIp(groups.join(':'))
}

function malformed(why: string): ProxyHeader {
  return { kind: 'malformed', why }
}
