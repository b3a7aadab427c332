/**
 * The verified SPIFFE ID behind a connection, a request or a gRPC call. Only connections that were judged have one;
 * asking for another throws, so a forgotten check cannot pass for a successful one.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { VerifiedPeer } from './judge-peer.ts'

/** A symbol reaches the socket also through the proxies that HTTP/2 puts around it. */
const PEER = Symbol('verified SPIFFE ID of the peer')

interface Marked {
  readonly [PEER]?: VerifiedPeer
}

/** A socket, an HTTP/1.1 or HTTP/2 request, an HTTP/2 session or stream, or a call of a gRPC server. */
export type Connected =
  | Socket
  | { readonly socket: unknown }
  | { readonly session?: { readonly socket: unknown } | undefined }
  | { getPeer(): string }

const idsByGrpcPeer = new Map<string, SpiffeId>()

/** @throws IdentityError CALLER_UNIDENTIFIED when the connection is not one that was verified here */
export function peerIdOf(of: Connected): SpiffeId {
  const id = idsOf(of).find((one) => one !== undefined)
  if (id === undefined) {
    throw new IdentityError(
      'CALLER_UNIDENTIFIED',
      'this connection has no verified peer: it did not come through mutual TLS of this library, or has closed',
    )
  }
  return id
}

/** As `peerIdOf`, with the certificates that the ID was believed by; not for gRPC calls. */
export function verifiedPeerOf(socket: Socket): VerifiedPeer {
  const peer = markOf(socket)
  if (peer !== undefined) return peer
  throw new IdentityError('CALLER_UNIDENTIFIED', 'this connection has no verified peer')
}

export function markPeer(socket: TLSSocket, peer: VerifiedPeer): void {
  Object.defineProperty(socket, PEER, { value: peer })
}

/** Makes the calls on this connection recognizable; gRPC shows its handlers nothing of a socket but its address. */
export function markGrpcPeer(socket: TLSSocket, id: SpiffeId, unguessable: string): void {
  const { remotePort } = socket
  const remoteAddress = `${socket.remoteAddress}#${unguessable}`
  // The address as gRPC's getPeer() will put it together.
  const key = remotePort === undefined ? remoteAddress : `${remoteAddress}:${remotePort}`
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress })
  idsByGrpcPeer.set(key, id)
  socket.once('close', () => idsByGrpcPeer.delete(key))
}

function* idsOf(of: Connected): Generator<SpiffeId | undefined, void, undefined> {
  yield markOf(of)?.id
  if ('getPeer' in of) yield idsByGrpcPeer.get(of.getPeer())
  if ('socket' in of) yield markOf(of.socket)?.id
  if ('session' in of) yield markOf(of.session?.socket)?.id
}

function markOf(value: unknown): VerifiedPeer | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return (value as Marked)[PEER] // cast: reading a symbol that is either absent or ours
}
