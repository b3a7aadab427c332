/** A place to listen at: bounded connections, and an end of accepting that leaves those that are open alone. */
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { type Address, showAddress } from '../../config/address.ts'
import { prepareSocketPath } from '../../proto/unix-listener.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'

export interface Listener extends AsyncDisposable {
  readonly name: string
  /** Where it listens indeed: the port that was chosen instead of 0. */
  readonly address: Address
  /** Takes no more connections. */
  stop(): void
}

export interface AcceptOptions {
  readonly name: string
  readonly address: Address
  /** The key to change when the address cannot be had. */
  readonly key: string
  readonly maxConnections: number
  /** Others of this process listen there too, and the kernel gives each connection to one of them. */
  readonly isShared?: boolean | undefined
  onConnection(socket: Socket): void
}

/** Connections waiting to be accepted; the kernel may allow fewer. */
const BACKLOG = 4_096
/** Of a Unix socket: those who may be the workload, which is whom the directory admits. */
const SOCKET_MODE = 0o660

/** @throws IdentityError CONFIG_INVALID when the address cannot be had */
export async function listenAt(options: AcceptOptions): Promise<Listener> {
  const { name, address, key, maxConnections, isShared = false, onConnection } = options
  // Half-open: each way of a connection ends by itself, as the ends want it.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {}) // heard by whoever serves it; in between it must not end the process
    onConnection(socket)
  })
  server.maxConnections = maxConnections
  if (address.kind === 'unix') await prepareSocketPath(address.path)
  try {
    const { host, port } = address.kind === 'tcp' ? address : { host: undefined, port: 0 }
    server.listen(
      address.kind === 'unix'
        ? { path: address.path, backlog: BACKLOG }
        : { host, port, backlog: BACKLOG, reusePort: isShared },
    )
    await once(server, 'listening')
  } catch (error) {
    const why = `cannot listen on ${showAddress(address)}: ${reasonOf(error)}; choose another ${key}`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
  if (address.kind === 'unix') chmodSync(address.path, SOCKET_MODE)
  const bound = server.address()
  const isTcp = typeof bound === 'object' && bound !== null && address.kind === 'tcp'
  return {
    name,
    address: isTcp ? { kind: 'tcp', host: address.host, port: bound.port } : address,
    stop: () => void server.close(),
    async [Symbol.asyncDispose]() {
      if (server.listening) server.close()
    },
  }
}
