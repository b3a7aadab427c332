/** The attacker's end of a TLS connection: it shows any certificate at all, and believes everybody. */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import type { X509Identity } from '../../../agent/cache/identity.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'

const pem = ({ chain, key }: X509Identity) => ({
  cert: toPemChain(chain),
  key: toPem('PRIVATE KEY', key),
})

/** A client that shows this identity. */
export function dial(identity: X509Identity, port: number, alpn: readonly string[]): TLSSocket {
  const socket = connect({
    ...pem(identity),
    ...{ host: '127.0.0.1', port, rejectUnauthorized: false },
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
  })
  socket.on('error', () => {}) // it ends then
  return socket
}

/** Whether anything comes before the end. */
export function hears(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('data', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}

/** A server that shows this identity and greets whoever gets through the handshake. */
export async function serveAs(
  identity: X509Identity,
  onConnection: (socket: TLSSocket) => void,
  alpn: readonly string[] = [],
) {
  const sockets = new Set<TLSSocket>()
  const options = { ...pem(identity), requestCert: true, rejectUnauthorized: false }
  const server = createServer(
    { ...options, ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }) },
    (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      onConnection(socket)
    },
  )
  server.on('tlsClientError', () => {}) // the client has refused
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
