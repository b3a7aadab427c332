/**
 * A mutual TLS connection to a destination whose SPIFFE ID is one of those expected, entered among the open connections so
 * that a change of bundles reaches it. Host names prove nothing here; the ID does.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { showAddress } from '../../config/address.ts'
import type { Authorize } from '../../workload/tls/authorize.ts'
import { connectMtls } from '../../workload/tls/connect-mtls.ts'
import { verifiedPeerOf } from '../../workload/tls/peer-id.ts'
import type { OutboundConfig } from '../config.ts'
import { destinationOf, sourceOf } from '../listen/addresses.ts'
import type { ProxyContext } from '../proxy.ts'
import { connectPlain } from './connect-plain.ts'
import type { Inlet } from './inlet.ts'

export type SecuredTarget = Pick<OutboundConfig, 'name' | 'upstream' | 'serverName' | 'minVersion'>

export interface Securing {
  readonly authorize: Authorize
  readonly alpn: readonly string[]
  /** Used where the connection can have one. */
  readonly inlet?: Inlet | undefined
}

/** @throws IdentityError as `connectMtls`; the system's error when there is no connection */
export async function connectSecured(
  context: ProxyContext,
  config: SecuredTarget,
  { authorize, alpn, inlet }: Securing,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { identity, connections, clock } = context
  const { upstream, serverName, minVersion } = config
  const isDirect = upstream.kind === 'tcp' && context.socketMark === undefined
  const target = isDirect
    ? { host: upstream.host, port: upstream.port }
    : { host: '', port: 0, socket: await connectPlain(upstream, signal, context.socketMark) }
  const socket = await connectMtls(identity, authorize, {
    ...target,
    // Name and address are no identity, so nothing is sent unless somebody wants it.
    servername: serverName ?? '',
    alpn,
    onread: inlet?.onread,
    minVersion,
    allowHalfOpen: true,
    signal,
    clock,
  })
  socket.setNoDelay(true)
  if (isDirect) inlet?.bind(socket)
  const leave = connections.add({
    ...{ direction: 'outbound', listener: `${config.name} upstream`, protocol: 'tcp' },
    ...{ source: destinationOf(socket), destination: addressesOf(socket, config) },
    ...{ openedAt: clock.now(), peer: verifiedPeerOf(socket) },
    rejudge: () => undefined,
    drain: () => {},
    close: (reason) => void socket.destroy(new Error(reason)),
    report: () => undefined, // it idles as long as the connection that it was made for
  })
  socket.once('close', leave)
  return socket
}

function addressesOf(socket: Socket, { upstream }: SecuredTarget): string {
  return upstream.kind === 'unix' ? showAddress(upstream) : sourceOf(socket)
}
