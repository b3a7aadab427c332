/** The listener of the provider: HTTPS, plain HTTP behind somebody's proxy, or a Unix socket. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { ServingCertificate } from '../disk/certificate-files.ts'
import { bindServer, endServer } from '../proto/bind-server.ts'
import { createServer as createHttpServer } from '../proto/node-http.ts'
import { prepareSocketPath } from '../proto/unix-listener.ts'
import { KEY_EXCHANGE_GROUPS } from '../spiffe/key-exchange.ts'
import type { Answer, Question } from './answer.ts'
import type { ListenAddress } from './config.ts'

export type Listen =
  | { readonly kind: 'https'; readonly at: ListenAddress; readonly certificate: ServingCertificate }
  | { readonly kind: 'http'; readonly at: ListenAddress }
  | { readonly kind: 'unix'; readonly path: string }

export interface ServeDeps {
  answer(question: Question): Answer
  onRequest(question: Question, status: number): void
}

export interface Served extends AsyncDisposable {
  /** Where it listens, for people. */
  readonly address: string
  /** 0 for a Unix socket. */
  readonly port: number
}

const LIMITS = {
  handshakeTimeout: 10_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 8 * 1024,
}
const MAX_CONNECTIONS = 1_000
/** The documents are public: whoever stands in front of us may run as any user. */
const SOCKET_MODE = 0o777
const TLS = { minVersion: 'TLSv1.2', ecdhCurve: KEY_EXCHANGE_GROUPS } as const

/** @throws IdentityError CONFIG_INVALID when the address cannot be had */
export async function serveDocuments(listen: Listen, deps: ServeDeps): Promise<Served> {
  if (listen.kind === 'unix') await prepareSocketPath(listen.path)
  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    reply(request, response, listen.kind === 'https', deps)
  const server =
    listen.kind === 'https'
      ? createHttpsServer(
          { ...LIMITS, ...TLS, ...listen.certificate.current(), ...listen.certificate.tls },
          onRequest,
        )
      : createHttpServer(LIMITS, onRequest)
  server.maxConnections = MAX_CONNECTIONS
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  // An HTTPS server does not know those that are still in their handshake.
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const address = listen.kind === 'unix' ? listen.path : `${listen.at.host ?? ''}:${listen.at.port}`
  const port = await bindServer(
    server,
    listen.kind === 'unix' ? { path: listen.path, mode: SOCKET_MODE } : listen.at,
    { shown: address, key: 'address' },
  )
  const stopRotation = listen.kind === 'https' ? rotate(server, listen.certificate) : () => {}
  return {
    address,
    port,
    async [Symbol.asyncDispose]() {
      stopRotation()
      await endServer(server, () => {
        for (const socket of sockets) socket.destroy()
      })
    },
  }
}

function rotate(
  server: ReturnType<typeof createHttpServer>,
  certificate: ServingCertificate,
): () => void {
  // Both kinds of servers are of one type here; only the one with TLS has this method.
  const secure = server as ReturnType<typeof createHttpsServer>
  const show = () => secure.setSecureContext({ ...TLS, ...certificate.current() })
  const stop = certificate.onChange(show)
  show() // it may have been replaced while the port was being bound
  return stop
}

function reply(
  request: IncomingMessage,
  response: ServerResponse,
  isTls: boolean,
  { answer, onRequest }: ServeDeps,
): void {
  request.resume() // nobody reads a body
  const header = (name: string) => request.headers[name]?.toString()
  const question: Question = {
    method: request.method ?? '',
    path: (request.url ?? '').replace(/\?.*$/s, ''),
    host: header('x-forwarded-host') ?? header('host') ?? '',
    isHttps:
      isTls || header('x-forwarded-proto') === 'https' || header('x-forwarded-scheme') === 'https',
  }
  const { status, headers, body } = answer(question)
  response.writeHead(status, headers)
  response.end(body)
  onRequest(question, status)
}
