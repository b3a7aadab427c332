/**
 * Decides about the peer of a TLS connection after its handshake and before any byte of it is used: the certificate
 * must be an X509-SVID that the bundle of its own trust domain vouches for, and the program must want that ID. On any
 * doubt the answer is no, and the connection has to be destroyed.
 *
 * @see X509-SVID §5 — validation; Workload-API §4.6 — one bundle for each trust domain
 */
import type { TLSSocket } from 'node:tls'
import { peerChain } from '../../proto/peer-chain.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { X509Context } from '../x509-context.ts'
import type { Authorize } from './authorize.ts'
import { verifyKnown } from './known-chains.ts'

/** A peer that was believed, and what it was believed for. */
export interface VerifiedPeer {
  readonly id: SpiffeId
  /** DER, leaf first, as the peer presented it. */
  readonly chain: readonly Uint8Array[]
  /** When the authority that vouched for it ends by itself. */
  readonly authorityExpiresAt: Date
  readonly verifiedAt: Date
}

export interface Judge {
  readonly authorize: Authorize
  readonly clock: Clock
  /** What the peer is to us. */
  readonly peer: 'client' | 'server'
}

/** @throws IdentityError CERTIFICATE_UNTRUSTED, CERTIFICATE_MALFORMED, NOT_AUTHORIZED */
export function judgeSocket(
  socket: TLSSocket,
  { bundles }: X509Context,
  judge: Judge,
): VerifiedPeer {
  // Fails closed: of a resumed session the certificates may be missing, and the verdict would be old.
  if (socket.isSessionReused()) {
    throw new IdentityError(
      'CERTIFICATE_UNTRUSTED',
      'the TLS session was resumed, which is refused',
    )
  }
  return judgeChain(peerChain(socket.getPeerCertificate(true)), { bundles }, judge)
}

/** @param chain DER, leaf first */
export function judgeChain(
  chain: readonly Uint8Array[],
  { bundles }: Pick<X509Context, 'bundles'>,
  { authorize, clock, peer }: Judge,
): VerifiedPeer {
  const usage = peer === 'client' ? 'clientAuth' : 'serverAuth'
  const verifiedAt = clock.now()
  const { id, authorityExpiresAt } = verifyKnown({ chain, bundles, now: verifiedAt, usage })
  // Exactly true: a promise that somebody returned by mistake must not pass.
  if (authorize(id) !== true) {
    throw new IdentityError('NOT_AUTHORIZED', `the peer ${id} is verified, but not authorized here`)
  }
  return { id, chain, authorityExpiresAt, verifiedAt }
}
