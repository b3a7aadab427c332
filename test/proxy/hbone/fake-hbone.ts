/** The other end of tunnels, which answers as a test wants. */
import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { authorizeAny } from '../../../workload/tls/authorize.ts'
import { createMtlsServer } from '../../../workload/tls/mtls-server.ts'
import { db, sourceOf } from './hbone-client.ts'

export async function startFakeHbone(
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
) {
  const sessions: ServerHttp2Session[] = []
  const serverNames: unknown[] = []
  const server = createMtlsServer(
    sourceOf(db),
    authorizeAny(),
    (socket) => {
      serverNames.push(socket.servername)
      const session = performServerHandshake(socket)
      session.on('error', () => {})
      session.on('stream', (stream, headers) => {
        stream.on('error', () => {})
        answer(stream, headers)
      })
      sessions.push(session)
    },
    { alpn: ['h2'] },
  )
  const { port } = await server.listen({ port: 0, host: '127.0.0.1' })
  return {
    ...{ port, sessions, serverNames },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}
