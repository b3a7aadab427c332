/**
 * Ends a connection in such a way that its other end cannot take what it has got for the whole: TCP by a reset, for an
 * ordinary end would say that everything was sent. TLS and tunnels say it in their own ways when they are destroyed.
 */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

export function cutOff(stream: Duplex): void {
  // A Unix socket has no address, and no reset.
  const isTcp =
    stream instanceof Socket && !(stream instanceof TLSSocket) && stream.remoteAddress !== undefined
  if (isTcp && !stream.destroyed) stream.resetAndDestroy()
  else stream.destroy()
}
