/**
 * What a policy may be asked about: a connection, or a request on one. The proxy fills these in; nothing here is
 * believed from the peer without proof.
 */
import type { SpiffeId } from '../spiffe/id.ts'

export interface ConnectionFacts {
  /** The SPIFFE ID of the peer's verified X.509-SVID; undefined when the peer spoke plaintext. */
  readonly peer: SpiffeId | undefined
  /** Address of the direct peer of the connection: `source.ip`. */
  readonly sourceIp: string
  /** Address of the first client by trusted hops or PROXY protocol, else `sourceIp`: `remote.ip`. */
  readonly remoteIp: string
  readonly destinationIp: string
  /** The workload's port, not the Service's. */
  readonly destinationPort: number
  /** Server name of the TLS handshake: `connection.sni`. */
  readonly sni: string | undefined
}

/** The claims of a token that a RequestAuthentication accepted, as they were, not flattened. */
export interface RequestToken {
  readonly issuer: string
  readonly subject: string
  readonly claims: Readonly<Record<string, unknown>>
  /** Claims whose words are values of their own, beside `scope` and `permission`, which always are. */
  readonly spaceDelimitedClaims: readonly string[]
}

export interface RequestFacts extends ConnectionFacts {
  readonly method: string
  /** After normalisation, without query and fragment. */
  readonly path: string
  /** `:authority` or `Host` as it was sent, with its port. */
  readonly host: string
  /** The lines of a header, one by one; none when it is missing. `name` is in lower case, pseudo headers included. */
  headerLines(name: string): readonly string[]
  readonly token: RequestToken | undefined
}
