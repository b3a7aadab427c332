/** A plain connection to the workload or onwards, half-open as the relay needs it, and marked where connections are captured. */
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import type { Address } from '../../config/address.ts'
import { createMarkedSocket } from '../../proto/socket-options.ts'
import type { Inlet } from './inlet.ts'

/** @throws the system's error, what `signal` was aborted with, or IdentityError UNAVAILABLE when nothing may be marked */
export async function connectPlain(
  upstream: Address,
  signal: AbortSignal,
  mark?: number | undefined,
  inlet?: Inlet | undefined,
): Promise<Socket> {
  const socket =
    mark === undefined || upstream.kind === 'unix'
      ? connectUnmarked(upstream, inlet)
      : connectMarked(await resolved(upstream), mark)
  try {
    await once(socket, 'connect', { signal })
  } catch (error) {
    socket.on('error', () => {})
    socket.destroy()
    throw error
  }
  socket.on('error', () => {}) // heard by whoever serves it; in between it must not end the process
  return socket
}

function connectUnmarked(upstream: Address, inlet: Inlet | undefined): Socket {
  const where =
    upstream.kind === 'unix'
      ? { path: upstream.path }
      : { host: upstream.host, port: upstream.port, noDelay: true }
  if (inlet === undefined) return connect({ ...where, allowHalfOpen: true })
  const socket = connect({ ...where, allowHalfOpen: true, onread: inlet.onread })
  inlet.bind(socket)
  return socket
}

interface Resolved {
  readonly host: string
  readonly port: number
}

/** The mark is set on a socket of one family, so the address must be known before there is one. */
async function resolved({ host, port }: Resolved): Promise<Resolved> {
  return isIP(host) === 0 ? { host: (await lookup(host)).address, port } : { host, port }
}

function connectMarked({ host, port }: Resolved, mark: number): Socket {
  const socket = createMarkedSocket(isIP(host) === 4 ? 4 : 6, mark)
  socket.setNoDelay(true)
  return socket.connect({ host, port })
}
