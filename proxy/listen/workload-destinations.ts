/**
 * The ports of the workload that a captured connection or a tunnel may mean. Each has its own pools of HTTP connections,
 * made when it is first called; those called least recently are given up beyond a bound.
 */
import type { Socket } from 'node:net'
import type { Address } from '../../config/address.ts'
import type { PortProtocol } from '../config.ts'
import type { HttpListener } from './http-session.ts'
import { leastRecent } from './least-recent.ts'
import type { Located } from './located.ts'

/** Where one connection goes. */
export interface Destination extends Located {
  /** @throws the system's error, or what `signal` was aborted with */
  connect(signal: AbortSignal): Promise<Socket>
  /** A connection that was made to see whether the workload is there; the next request takes it. @returns takes it back */
  offer(socket: Socket): () => void
}

/** How a port's HTTP is served. @param connect gives the connection that is there, or a new one */
export type OpenHttp = (
  upstream: Address,
  connect: (signal: AbortSignal) => Promise<Socket>,
) => HttpListener

export interface WorkloadDestinationsOptions {
  /** By the workload's port; `auto` for others. */
  readonly protocols: ReadonlyMap<number, PortProtocol>
  /** Where the workload listens; undefined: at the very address that was asked for. */
  readonly upstreamHost: string | undefined
  readonly openHttp: OpenHttp
  connect(upstream: Address, signal: AbortSignal): Promise<Socket>
}

export interface WorkloadDestinations extends Disposable {
  at(ip: string, port: number): Destination
}

/** Ports with connections kept for them. */
const MAX_DESTINATIONS = 256

type Known = Pick<Destination, 'upstream' | 'connect' | 'offer'> & { readonly http: HttpListener }

export function workloadDestinations(options: WorkloadDestinationsOptions): WorkloadDestinations {
  const known = leastRecent<Known>(MAX_DESTINATIONS, ({ http }) => http[Symbol.dispose]())
  return {
    at(ip, port) {
      const host = options.upstreamHost ?? ip
      const upstream: Address = { kind: 'tcp', host, port }
      const { http, ...rest } = known.at(`${host} ${port}`, () => open(options, upstream))
      const protocol = options.protocols.get(port) ?? 'auto'
      return { ip, port, protocol, serveHttp: http.serve, ...rest }
    },
    [Symbol.dispose]() {
      for (const { http } of known.values()) http[Symbol.dispose]()
    },
  }
}

function open(options: WorkloadDestinationsOptions, upstream: Address): Known {
  const ready = new Set<Socket>()
  const connect = (signal: AbortSignal) => options.connect(upstream, signal)
  const takeOrConnect = async (signal: AbortSignal) => {
    for (const socket of ready) {
      ready.delete(socket)
      if (!socket.destroyed && !socket.readableEnded) return socket
    }
    return await connect(signal)
  }
  return {
    upstream,
    http: options.openHttp(upstream, takeOrConnect),
    connect,
    offer(socket) {
      ready.add(socket)
      socket.once('close', () => ready.delete(socket))
      return () => {
        if (ready.delete(socket)) socket.destroy()
      }
    },
  }
}
