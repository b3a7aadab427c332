/**
 * Decides what becomes of an inbound connection by the mode of its port, the protocol of its port and its first bytes:
 * mutual TLS is ended here, or the bytes go on as they are, or the connection is refused. Pure.
 *
 * Fails closed: under STRICT nothing but TLS passes, and whoever cannot show an X.509-SVID fails its handshake.
 *
 * @see Istio PeerAuthentication — filter chains of a sidecar in each mode
 */
import type { MtlsMode } from '../../policy/mtls.ts'
import type { PortProtocol } from '../config.ts'
import type { Sniffed } from './sniff.ts'

/** `EMERGENCY`: whatever STRICT takes, and plaintext too, so that nobody who was let in is shut out by it. */
export type GateMode = MtlsMode | 'EMERGENCY'

/** `sniff`: look into the decrypted bytes, for nothing before them said what they are. */
export type InnerProtocol = 'http' | 'tcp' | 'sniff'

export type GateDecision =
  | { readonly kind: 'terminate'; readonly inner: InnerProtocol }
  | { readonly kind: 'plaintext'; readonly inner: 'http' | 'tcp' }
  /** TLS of the application's own: opaque to us, and without a peer that we know. */
  | { readonly kind: 'passthrough' }
  /** Fails closed. */
  | { readonly kind: 'refuse'; readonly why: 'plaintext' | 'tls-of-others' }

const MESH_HTTP: ReadonlySet<string> = new Set(['istio-http/1.0', 'istio-http/1.1', 'istio-h2'])
const MESH_TCP: ReadonlySet<string> = new Set(['istio-peer-exchange', 'istio'])
const PLAIN_HTTP: ReadonlySet<string> = new Set(['http/1.0', 'http/1.1', 'h2'])

/** Undefined: the client is silent, as clients are whose server speaks first. */
export function gate(
  mode: GateMode,
  protocol: PortProtocol,
  seen: Sniffed | undefined,
): GateDecision {
  if (seen?.kind !== 'tls') {
    if (mode === 'STRICT') return { kind: 'refuse', why: 'plaintext' }
    return { kind: 'plaintext', inner: plaintextProtocol(protocol, seen) }
  }
  const { alpn } = seen.hello
  if (mode === 'STRICT' || mode === 'EMERGENCY')
    return { kind: 'terminate', inner: innerProtocol(protocol, alpn) }
  const isMesh = alpn.some((one) => MESH_HTTP.has(one) || MESH_TCP.has(one))
  if (mode === 'PERMISSIVE' && isMesh) {
    return { kind: 'terminate', inner: innerProtocol(protocol, alpn) }
  }
  if (protocol === 'http' || protocol === 'http2') {
    return { kind: 'refuse', why: 'tls-of-others' }
  }
  return { kind: 'passthrough' }
}

function plaintextProtocol(protocol: PortProtocol, seen: Sniffed | undefined): 'http' | 'tcp' {
  if (protocol === 'auto') return seen?.kind === 'http1' || seen?.kind === 'http2' ? 'http' : 'tcp'
  return protocol === 'tcp' ? 'tcp' : 'http'
}

/**
 * Mesh clients say what is inside. Where nobody says it, at a port that may carry anything, the bytes themselves are asked:
 * Istio takes them for TCP, which loses every rule about HTTP.
 */
function innerProtocol(protocol: PortProtocol, alpn: readonly string[]): InnerProtocol {
  if (protocol !== 'auto') return protocol === 'tcp' ? 'tcp' : 'http'
  if (alpn.some((one) => MESH_HTTP.has(one))) return 'http'
  if (alpn.some((one) => MESH_TCP.has(one))) return 'tcp'
  return alpn.some((one) => PLAIN_HTTP.has(one)) ? 'http' : 'sniff'
}

/** What is answered to a client that offers several: most servers speak HTTP/1.1, and gRPC offers `h2` alone. */
const PREFERRED: Readonly<Record<PortProtocol, readonly string[]>> = {
  auto: ['http/1.1', 'istio-http/1.1', 'h2', 'istio-h2'],
  http: ['http/1.1', 'istio-http/1.1', 'h2', 'istio-h2'],
  http2: ['h2', 'istio-h2', 'http/1.1', 'istio-http/1.1'],
  tcp: ['istio'],
}

/**
 * What our side of the handshake answers. `istio-peer-exchange` would promise a header that we do not send, so it is never
 * chosen while the client offers anything else; whatever else is chosen only names what the workload speaks.
 */
export function chooseAlpn(offered: readonly string[], protocol: PortProtocol): string | undefined {
  const preferred = PREFERRED[protocol]
  return (
    preferred.find((one) => offered.includes(one)) ??
    offered.find((one) => one !== 'istio-peer-exchange') ??
    offered[0]
  )
}
