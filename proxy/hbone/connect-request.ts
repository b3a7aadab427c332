/**
 * What a CONNECT asks for, and whether it may be asked of us. Pure. Fails closed: whatever is not a plain address of the
 * workload behind us is refused, so that nobody reaches another machine, or the proxy itself, through a tunnel.
 *
 * @see HBONE — CONNECT, authority, 400; RFC 9113 §8.5 — CONNECT
 */
import { parseIpAddress } from '../../policy/ip-block.ts'
import { isSameIp } from './same-ip.ts'

export interface TunnelTarget {
  readonly ip: string
  readonly port: number
}

export type ConnectRequest =
  | { readonly kind: 'target'; readonly target: TunnelTarget }
  | { readonly kind: 'refused'; readonly reason: string }

const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9.]{7,15})):([1-9]\d{0,4})$/
const MAX_PORT = 65_535
/** Of what a peer sent, for messages; characters. */
const MAX_SHOWN = 64

/** @param method and authority as the peer sent them */
export function readConnect(
  method: string | undefined,
  authority: string | undefined,
): ConnectRequest {
  if (method !== 'CONNECT') return refused(`the method is ${show(method)}, expected CONNECT`)
  const [, bracketed, plain, digits] = AUTHORITY.exec(authority ?? '') ?? []
  const ip = bracketed ?? plain ?? ''
  const address = parseIpAddress(ip)
  const isWritten = address !== undefined && (bracketed !== undefined) === ip.includes(':')
  const port = Number(digits)
  if (!isWritten || digits === undefined || port > MAX_PORT) {
    return refused(`the authority is ${show(authority)}, expected ip:port`)
  }
  return { kind: 'target', target: { ip, port } }
}

export interface TargetRules {
  /** The address that the peer's connection came in at. */
  readonly destinationIp: string
  /** Further addresses of the workload. */
  readonly addresses: readonly string[]
  /** The ports of the proxy itself. */
  readonly ownPorts: ReadonlySet<number>
}

/** @returns why the target is refused; undefined when it is the workload's */
export function refusalOf(target: TunnelTarget, rules: TargetRules): string | undefined {
  const { ip, port } = target
  const isOurs = [rules.destinationIp, ...rules.addresses].some((one) => isSameIp(one, ip))
  if (!isOurs) {
    return `the authority's address is ${ip}, expected ${rules.destinationIp}, where the connection came in`
  }
  // Such a tunnel would come back to us, and so on without end.
  if (rules.ownPorts.has(port)) return `port ${port} is the proxy's own, expected the workload's`
  return undefined
}

const refused = (reason: string): ConnectRequest => ({ kind: 'refused', reason })

function show(text: string | undefined): string {
  return text === undefined ? 'missing' : JSON.stringify(text.slice(0, MAX_SHOWN))
}
