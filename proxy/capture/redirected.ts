/**
 * Where a connection was going before a rule of redirection brought it here. Fails closed: one that no rule brought, or that
 * was going to the proxy itself, would be carried to the proxy again and so on without end.
 */
import type { Socket } from 'node:net'
import type { Endpoint } from '../../proto/socket-options.ts'
import { isSameIp } from '../hbone/same-ip.ts'
import { plainIp, showEndpoint } from '../listen/addresses.ts'

export type OriginalDestinationOf = (socket: Socket) => Endpoint | undefined

/** @returns where it was going, or why it is refused */
export function redirectedFrom(
  socket: Socket,
  originalDestinationOf: OriginalDestinationOf,
): Endpoint | { readonly refusal: string } {
  const target = originalDestinationOf(socket)
  const { localPort } = socket
  const localIp = plainIp(socket.localAddress)
  const isDirect =
    target === undefined || (target.port === localPort && isSameIp(target.ip, localIp))
  if (!isDirect) return target
  const where = showEndpoint(localIp, localPort)
  return { refusal: `a connection to ${where} itself, expected one that a rule has redirected` }
}
