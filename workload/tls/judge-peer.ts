/**
 * Decides about the peer of a TLS connection after its handshake and before any byte of it is used: the certificate
 * must be an X509-SVID that the bundle of its own trust domain vouches for, and the program must want that ID. On any
 * doubt the answer is no, and the connection has to be destroyed.
 *
 * @see X509-SVID §5 — validation; Workload-API §4.6 — one bundle for each trust domain
 */
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import { verifyPeer } from '../../spiffe/x509/verify.ts'
import type { X509Context } from '../x509-context.ts'
import type { Authorize } from './authorize.ts'

export interface Judge {
  readonly authorize: Authorize
  readonly clock: Clock
  /** What the peer is to us. */
  readonly peer: 'client' | 'server'
}

/** More than any chain needs; the rest is not read. */
const MAX_CHAIN = 10

/** @throws IdentityError CERTIFICATE_UNTRUSTED, CERTIFICATE_MALFORMED, NOT_AUTHORIZED */
export function judgeSocket(socket: TLSSocket, { bundles }: X509Context, judge: Judge): SpiffeId {
  // Fails closed: of a resumed session the certificates may be missing, and the verdict would be old.
  if (socket.isSessionReused()) {
    throw new IdentityError(
      'CERTIFICATE_UNTRUSTED',
      'the TLS session was resumed, which is refused',
    )
  }
  return judgeChain(chainOf(socket.getPeerCertificate(true)), { bundles }, judge)
}

/** @param chain DER, leaf first */
export function judgeChain(
  chain: readonly Uint8Array[],
  { bundles }: Pick<X509Context, 'bundles'>,
  { authorize, clock, peer }: Judge,
): SpiffeId {
  const usage = peer === 'client' ? 'clientAuth' : 'serverAuth'
  const { id } = verifyPeer({ chain, bundles, now: clock.now(), usage })
  // Exactly true: a promise that somebody returned by mistake must not pass.
  if (authorize(id) !== true) {
    throw new IdentityError('NOT_AUTHORIZED', `the peer ${id} is verified, but not authorized here`)
  }
  return id
}

/** The certificates as Node links them, from the leaf to the last that was sent. */
export function chainOf(leaf: DetailedPeerCertificate | undefined): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  let next = leaf
  // Without a certificate Node gives an empty object; a self-signed one is its own issuer.
  while (next?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(next.raw)
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate
  }
  return chain
}
