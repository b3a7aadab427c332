/** A small HTTP listener for operators' tools: GET of the paths it has, and nothing else. Never a secret over it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bindServer, endServer } from '../proto/bind-server.ts'
import { createServer } from '../proto/node-http.ts'

export interface Answer {
  readonly status: 200 | 500
  readonly contentType: string
  readonly body: string
}

export interface ListenHttpOptions {
  readonly host: string
  readonly port: number
  /** The key to change when the port cannot be had, e.g. `health_checks.bind_port`. */
  readonly portKey: string
  /** By path. Must not throw. */
  readonly pages: Readonly<Record<string, () => Promise<Answer>>>
}

export interface HttpListener extends AsyncDisposable {
  /** Differs from the wanted one only when that was 0. */
  readonly port: number
}

const MAX_CONNECTIONS = 100
const REQUEST_TIMEOUT_MS = 10_000
const MAX_HEADER_BYTES = 16 * 1024

/** @throws IdentityError CONFIG_INVALID when the address cannot be bound */
export async function listenHttp(options: ListenHttpOptions): Promise<HttpListener> {
  const { host, port, portKey, pages } = options
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: MAX_HEADER_BYTES },
    (request, response) => void answer(request, response, pages),
  )
  server.maxConnections = MAX_CONNECTIONS
  const place = { shown: `${host} port ${port}`, key: portKey }
  return {
    port: await bindServer(server, { host, port }, place),
    [Symbol.asyncDispose]: () => endServer(server, () => server.closeAllConnections()),
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pages: ListenHttpOptions['pages'],
): Promise<void> {
  request.resume() // nobody reads a body
  const path = (request.url ?? '').replace(/\?.*$/s, '')
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined
  if (page === undefined) {
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' })
    response.end('404 page not found\n')
    return
  }
  const { status, contentType, body } = await page()
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' })
  response.end(body)
}
