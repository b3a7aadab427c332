/**
 * The facts of one decision, with what policies ask of them worked out once and only when asked. A view lives as long
 * as its decision and is shared with nobody.
 */
import type { ConnectionFacts, RequestFacts } from './facts.ts'
import { type IpAddress, parseIpAddress } from './ip-block.ts'

const SCHEME = 'spiffe://'

/** What the SPIFFE ID of a peer says in Istio's form, wherever in the path it says so. */
export interface PeerNames {
  readonly trustDomain: string
  /** Names behind a segment `ns`, with the place of that segment; names at the end of the path are left out. */
  readonly namespaces: readonly PlacedName[]
  /** Names behind a segment `sa`. */
  readonly accounts: readonly PlacedName[]
  /** The ID is exactly `<domain>/ns/<namespace>/sa/<account>`, as ztunnel wants it. */
  readonly plain: { readonly namespace: string; readonly account: string } | undefined
}

export interface PlacedName {
  readonly name: string
  /** Position in the segments of the ID without its scheme: 0 is the trust domain. */
  readonly at: number
}

export interface View {
  readonly connection: ConnectionFacts
  /** Undefined on a connection whose requests we do not see. */
  readonly request: RequestFacts | undefined
  /** The peer's ID without `spiffe://`, as policies write it; undefined for plaintext. */
  readonly principal: string | undefined
  readonly known: {
    peer: PeerNames | undefined
    sourceIp: IpAddress | undefined
    remoteIp: IpAddress | undefined
    destinationIp: IpAddress | undefined
    host: string | undefined
  }
}

/** The caller's overloads see to it that an authorization of requests is asked about a request. */
export function viewFor(
  { layer }: { readonly layer: 'connection' | 'request' },
  facts: ConnectionFacts,
): View {
  return newView(facts, layer === 'request' ? (facts as RequestFacts) : undefined)
}

const newView = (connection: ConnectionFacts, request: RequestFacts | undefined): View => ({
  connection,
  request,
  principal: connection.peer?.slice(SCHEME.length),
  known: {
    peer: undefined,
    sourceIp: undefined,
    remoteIp: undefined,
    destinationIp: undefined,
    host: undefined,
  },
})

export function peerOf({ principal, known }: View): PeerNames | undefined {
  if (principal === undefined) return undefined
  known.peer ??= namesIn(principal)
  return known.peer
}

/** One walk, without cutting out what nobody asked for: this runs for each decision about a named caller. */
function namesIn(principal: string): PeerNames {
  const namespaces: PlacedName[] = []
  const accounts: PlacedName[] = []
  const first = principal.indexOf('/')
  let at = 0
  for (let slash = first, start = 0; slash !== -1; at += 1) {
    const end = principal.indexOf('/', slash + 1)
    if (slash - start === 2) {
      const name = principal.slice(slash + 1, end === -1 ? undefined : end)
      if (principal.startsWith('sa', start)) accounts.push({ name, at })
      else if (end !== -1 && principal.startsWith('ns', start)) namespaces.push({ name, at })
    }
    start = slash + 1
    slash = end
  }
  const namespace = namespaces.find((placed) => placed.at === 1)?.name
  const account = accounts.find((placed) => placed.at === 3)?.name
  return {
    trustDomain: first === -1 ? principal : principal.slice(0, first),
    namespaces,
    accounts,
    plain:
      at === 4 && namespace !== undefined && account !== undefined
        ? { namespace, account }
        : undefined,
  }
}

/** Undefined for a text that is no address: it matches no block, so `not…` holds. */
export function ipOf(
  { connection, known }: View,
  which: 'sourceIp' | 'remoteIp' | 'destinationIp',
): IpAddress | undefined {
  known[which] ??= parseIpAddress(connection[which])
  return known[which]
}

/** In lower case: hosts are compared without regard to case. */
export function hostOf({ request, known }: View): string | undefined {
  known.host ??= request?.host.toLowerCase()
  return known.host
}
