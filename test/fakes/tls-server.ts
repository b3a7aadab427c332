/** A TLS server that keeps what it is sent and answers nothing. */
import { once } from 'node:events'
import { createServer } from 'node:tls'
import { toPemChain } from '../../spiffe/x509/pem.ts'
import type { TestLeaf } from './ca.ts'

/** @param protocol of ALPN */
export async function serveTls(leaf: TestLeaf, protocol = 'h2') {
  const received: Buffer[] = []
  const server = createServer(
    {
      cert: toPemChain(leaf.chain),
      key: leaf.key.export({ type: 'pkcs8', format: 'pem' }),
      ALPNProtocols: [protocol],
    },
    (socket) => {
      socket.on('error', () => {})
      socket.on('data', (data) => received.push(data))
    },
  )
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    received,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
}
