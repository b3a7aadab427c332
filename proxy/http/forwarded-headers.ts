/**
 * The headers by which a proxy tells what it knows of a request: who called, by which scheme, under which id. As Istio's sidecars do.
 * Fails closed: a client's own x-forwarded-client-cert never passes unless its connection was mutual TLS, and then only in front of
 * what we add. Trace headers (traceparent, b3) are none of its business: `tracing/` writes them, where it is on.
 * @see Envoy's `forward_client_cert_details: APPEND_FORWARD` inbound, `SANITIZE` outbound
 */
import type { SpiffeId } from '../../spiffe/id.ts'
import type { HeadEdits, HeaderLine, RequestHead } from './exchange.ts'

/** What the peer's verified certificate says. */
export interface CallerCertificate {
  /** Our own identity on this connection. */
  readonly by: SpiffeId
  readonly caller: SpiffeId
  /** SHA-256 of the DER of the leaf, in lower-case hexadecimal. */
  readonly sha256: string
  /** RFC 2253 text of the subject; empty when it has none. */
  readonly subject: string
  readonly dnsNames: readonly string[]
}

const XFCC = 'x-forwarded-client-cert'

/** One element of x-forwarded-client-cert; made once for a connection. */
export function xfccElement({ by, caller, sha256, subject, dnsNames }: CallerCertificate): string {
  const quoted = subject.replace(/[\\"]/g, '\\$&')
  const names = dnsNames.map((name) => `;DNS=${name}`).join('')
  return `By=${by};Hash=${sha256};Subject="${quoted}";URI=${caller}${names}`
}

export interface ForwardedFacts {
  /** `xfccElement` of the peer; undefined when it spoke plaintext, and on the way out. */
  readonly element: string | undefined
  readonly tls: boolean
  /** A fresh UUID. */
  readonly newRequestId: () => string
}

/** What is added to a request, beside what `path` changes. @param path undefined leaves it */
export function forwardedEdits(
  head: RequestHead,
  { element, tls, newRequestId }: ForwardedFacts,
  path: string | undefined,
): HeadEdits {
  const add: HeaderLine[] = []
  const sent = head.headerLines(XFCC)
  if (element !== undefined) add.push([XFCC, [...sent, element].join(',')])
  if (head.headerLines('x-forwarded-proto').length === 0) {
    add.push(['x-forwarded-proto', tls ? 'https' : 'http'])
  }
  if (head.headerLines('x-request-id').length === 0) add.push(['x-request-id', newRequestId()])
  return { path, remove: sent.length > 0 ? [XFCC] : NONE, add }
}

const NONE: readonly string[] = []
