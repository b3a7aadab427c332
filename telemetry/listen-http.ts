/** A small HTTP listener for operators' tools: GET of the paths it has, and nothing else. Never a secret over it. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { IdentityError, reasonOf } from '../spiffe/error.ts'

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
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    const why = `cannot listen on ${host} port ${port}: ${reasonOf(error)}; choose another ${portKey}`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
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
