/** A TCP client of a test that says exactly what it is told to, and a server that lets a test answer byte by byte. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface RawPeer extends AsyncDisposable {
  readonly socket: Socket
  /** All that was received, as Latin-1. */
  received: string
  write(text: string): void
  /** Resolves as soon as `text` was received; rejects when the connection ends before. */
  until(text: string): Promise<string>
  /** Resolves with all that was received, when the other side has ended. */
  readonly ended: Promise<string>
  /** Resolves when the connection is closed, however. */
  readonly closed: Promise<string>
}

function rawPeer(socket: Socket): RawPeer {
  const ended = Promise.withResolvers<string>()
  const closed = Promise.withResolvers<string>()
  const waiting = new Set<() => void>()
  const peer: RawPeer = {
    socket,
    received: '',
    write: (text) => {
      socket.write(text, 'latin1')
    },
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (peer.received.includes(text)) resolve(peer.received)
          else if (socket.destroyed) reject(new Error(`closed after: ${peer.received}`))
          else return
          waiting.delete(look)
        }
        waiting.add(look)
        look()
      }),
    ended: ended.promise,
    closed: closed.promise,
    async [Symbol.asyncDispose]() {
      socket.destroy()
      await closed.promise
    },
  }
  const lookAll = () => {
    for (const look of waiting) look()
  }
  socket.on('data', (chunk: Buffer) => {
    peer.received += chunk.toString('latin1')
    lookAll()
  })
  socket.on('error', () => {})
  socket.once('end', () => ended.resolve(peer.received))
  socket.once('close', () => {
    ended.resolve(peer.received)
    closed.resolve(peer.received)
    lookAll()
  })
  return peer
}

export async function dial(port: number): Promise<RawPeer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  await once(socket, 'connect')
  return rawPeer(socket)
}

export interface RawServer extends AsyncDisposable {
  readonly port: number
  /** The next connection that nobody took yet. */
  accepted(): Promise<RawPeer>
  readonly count: number
}

export async function listenRaw(): Promise<RawServer> {
  const peers: RawPeer[] = []
  const takers: ((peer: RawPeer) => void)[] = []
  const all = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    all.add(socket)
    const peer = rawPeer(socket)
    const taker = takers.shift()
    if (taker === undefined) peers.push(peer)
    else taker(peer)
  })
  const port = await listenOn(server)
  return {
    port,
    accepted() {
      const peer = peers.shift()
      if (peer !== undefined) return Promise.resolve(peer)
      return new Promise((resolve) => {
        takers.push(resolve)
      })
    },
    get count() {
      return all.size
    },
    async [Symbol.asyncDispose]() {
      for (const socket of all) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export async function listenOn(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
