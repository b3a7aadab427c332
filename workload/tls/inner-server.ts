/** The servers that can stand behind mutual TLS, seen alike: which protocols they speak and how they take a connection. */
import { randomUUID } from 'node:crypto'
import type { Server as AnyHttpServer } from 'node:http'
import type { Http2Server } from 'node:http2'
import type { Server as NetServer } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js'
import { Server as HttpServer } from '../../proto/node-http.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import { markGrpcPeer } from './peer-id.ts'

/** Made by `http.createServer`, `http2.createServer`, `net.createServer` or gRPC, and not listening. */
export type Inner = AnyHttpServer | Http2Server | NetServer | GrpcServer

type Serve = (socket: TLSSocket, peer: SpiffeId) => void

export interface Behind {
  readonly alpn: readonly string[]
  /** @throws IdentityError REQUEST_INVALID when the client did not agree to what it needs */
  requireAlpn(agreed: string | false | null): void
  readonly serve: Serve
  /** Ends connections that carry no request. */
  drain(): void
}

const H2 = ['h2'] as const
const SOON_MS = 1

export function innerOf(inner: Inner | Serve): Behind {
  if (typeof inner === 'function') {
    return { alpn: [], requireAlpn: () => {}, serve: inner, drain: () => {} }
  }
  if (inner instanceof GrpcServer) return overGrpc(inner)
  const serve: Serve = (socket) => void inner.emit('connection', socket)
  if (inner instanceof HttpServer) {
    const drain = () => {
      inner.keepAliveTimeout = SOON_MS // for connections that still carry a request
      inner.closeIdleConnections()
    }
    return { alpn: ['http/1.1'], requireAlpn: () => {}, serve, drain }
  }
  if (isHttp2(inner)) {
    const sessions = new Set<{ close(): void }>()
    inner.on('session', (session) => {
      sessions.add(session)
      session.once('close', () => sessions.delete(session))
    })
    const drain = () => {
      for (const session of sessions) session.close()
    }
    return { alpn: H2, requireAlpn: requireH2, serve, drain }
  }
  return { alpn: [], requireAlpn: () => {}, serve, drain: () => {} }
}

function overGrpc(server: GrpcServer): Behind {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  return {
    alpn: H2,
    requireAlpn: requireH2,
    serve(socket, peer) {
      markGrpcPeer(socket, peer, randomUUID())
      injector.injectConnection(socket)
    },
    drain: () => injector.destroy(),
  }
}

/** Node does not export the class; only these servers can change their HTTP/2 settings. */
function isHttp2(inner: NetServer | Http2Server): inner is Http2Server {
  return 'updateSettings' in inner
}

function requireH2(agreed: string | false | null): void {
  if (agreed !== 'h2') {
    throw new IdentityError('REQUEST_INVALID', 'the client did not offer h2 by ALPN')
  }
}
