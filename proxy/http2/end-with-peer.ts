/** HTTP/2 has no half-closed connections: what is opened for HTTP/1 with `allowHalfOpen` must end when its peer ends. */
import type { Duplex } from 'node:stream'

/** Otherwise a session never learns that its peer is gone, and its streams wait for their time-outs. */
export function endWithPeer(socket: Duplex): void {
  socket.allowHalfOpen = false
}
