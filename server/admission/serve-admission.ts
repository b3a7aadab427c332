/**
 * The HTTPS server that the API server asks before it stores an object: POST of an AdmissionReview to one of the routes,
 * and nothing else. It decides about objects and knows no secrets, so whoever reaches it may ask; bounds keep it from
 * being held up. A route that fails refuses: what the webhook configuration says about failures is for servers that are away.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { ServingCertificate } from '../../disk/certificate-files.ts'
import { bindServer, endServer } from '../../proto/bind-server.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { readBounded } from '../../spiffe/read-bounded.ts'
import { shareConnections } from '../listen/connection-share.ts'
import { formatReview, readReview } from './review.ts'
import type {
  AdmissionRequest,
  AdmissionRoute,
  AdmissionRoutes,
  AdmissionVerdict,
} from './routes.ts'

export interface AdmissionOptions {
  readonly host: string
  readonly port: number
  readonly certificate: ServingCertificate
  readonly routes: AdmissionRoutes
  /** A route failed with what is no refusal of its own. */
  readonly onFailure: (error: unknown, path: string) => void
}

export interface AdmissionServer extends AsyncDisposable {
  /** Differs from the wanted one only when that was 0. */
  readonly port: number
}

const MAX_CONNECTIONS = 500
/** The API servers of a cluster are few, and may all come from one address. */
const MAX_CONNECTIONS_PER_NETWORK = 250
const MAX_REVIEWS_AT_ONCE = 200
/** An object and the one before it, each as large as etcd takes them. */
const MAX_BODY_BYTES = 8 * 1024 * 1024
const MAX_HEADER_BYTES = 16 * 1024
const HANDSHAKE_TIMEOUT_MS = 10_000
/** The API server waits for at most 30 s. */
const REQUEST_TIMEOUT_MS = 30_000
const KEEP_ALIVE_MS = 60_000
const TLS_SETTINGS = { minVersion: 'TLSv1.2' } as const

/** @throws IdentityError CONFIG_INVALID when the address cannot be bound, saying why */
export async function serveAdmission(options: AdmissionOptions): Promise<AdmissionServer> {
  const { certificate, host, port } = options
  const stopping = new AbortController()
  const reviews = { running: 0 }
  const server = createServer(
    {
      ...TLS_SETTINGS,
      ...certificate.current(),
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => {
      void answer(request, response, options, stopping.signal, reviews)
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  const cutAllOff = shareConnections(server, MAX_CONNECTIONS_PER_NETWORK)
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  const place = { shown: `${host} port ${port}`, key: 'controller_manager.webhook.port' }
  const bound = await bindServer(server, { host, port }, place)
  const show = () => server.setSecureContext({ ...TLS_SETTINGS, ...certificate.current() })
  const stopRotation = certificate.onChange(show)
  show() // it may have been replaced while the port was being bound
  return {
    port: bound,
    async [Symbol.asyncDispose]() {
      stopRotation()
      stopping.abort()
      await endServer(server, cutAllOff)
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { routes, onFailure }: AdmissionOptions,
  signal: AbortSignal,
  reviews: { running: number },
): Promise<void> {
  const path = (request.url ?? '').replace(/\?.*$/s, '')
  reviews.running += 1
  try {
    const route = routes.get(path)
    if (route === undefined) return refuse(request, response, 404, 'no webhook of this path')
    if (request.method !== 'POST') return refuse(request, response, 405, 'expected POST')
    if (reviews.running > MAX_REVIEWS_AT_ONCE) {
      return refuse(request, response, 429, 'too many reviews at once')
    }
    const body = await readBounded(request, MAX_BODY_BYTES)
    if (body === undefined) {
      return refuse(request, response, 413, `a review may have ${MAX_BODY_BYTES} bytes`)
    }
    const review = readReview(body.toString('utf8'))
    if (review === undefined) {
      return refuse(request, response, 400, 'expected an AdmissionReview of admission.k8s.io/v1')
    }
    const failed = (error: unknown) => onFailure(error, path)
    const verdict = await judge(route, review, signal, failed)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(formatReview(review.uid, verdict))
  } catch {
    // The connection broke off; nobody is there to be answered.
    response.destroy()
  } finally {
    reviews.running -= 1
  }
}

/** Fails closed: an object that could not be judged is refused. */
async function judge(
  route: AdmissionRoute,
  review: AdmissionRequest,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<AdmissionVerdict> {
  try {
    return await route(review, signal)
  } catch (error) {
    if (error instanceof IdentityError) return { kind: 'deny', message: error.message }
    onFailure(error)
    return { kind: 'deny', message: 'the webhook failed; its log says why' }
  }
}

/** What is not read of the body ends with the connection. */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
  response.end(`${text}\n`, () => request.destroy())
}
