/**
 * Serves the bundle of this trust domain to everybody over HTTPS: GET of `/` and nothing else. Nobody has to say who
 * they are; the bundle is public. An endpoint that is flooded answers 429, and serves the others.
 *
 * @see Federation §5.1 — bundle endpoint servers; SPIRE API §11
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { ServingCertificate } from '../../disk/certificate-files.ts'
import { bindServer, endServer } from '../../proto/bind-server.ts'
import { formatBundleDocument } from '../../spiffe/bundle/jwks.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { KEY_EXCHANGE_GROUPS } from '../../spiffe/key-exchange.ts'
import { networkOf, shareConnections } from '../listen/connection-share.ts'
import { type Bucket, fullBucket, type Rate, take } from '../listen/token-bucket.ts'

export interface BundleEndpointOptions {
  readonly address: string
  readonly port: number
  /** Written into the document. */
  readonly refreshHintSeconds: number
  readonly certificate: ServingCertificate
  /** The newest bundle. */
  bundle(): Bundle
  /** A request could not be answered. */
  onFailure(error: unknown): void
  readonly clock: Clock
}

export interface BundleEndpoint extends AsyncDisposable {
  /** Differs from the wanted one only when that was 0. */
  readonly port: number
}

const MAX_CONNECTIONS = 1_000
/** Who holds more open keeps others out. */
const MAX_CONNECTIONS_PER_NETWORK = 100
const HANDSHAKE_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 5_000
const MAX_HEADER_BYTES = 8 * 1024
/** For each network; consumers come once in some minutes. */
const RATE: Rate = { perSecond: 20 }
const MAX_NETWORKS = 10_000
const RETRY_AFTER_SECONDS = '1'
/** Mozilla's intermediate profile. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')
const TLS_SETTINGS = {
  minVersion: 'TLSv1.2',
  ecdhCurve: KEY_EXCHANGE_GROUPS,
  ciphers: CIPHERS,
} as const

/** @throws IdentityError CONFIG_INVALID when the address cannot be bound, saying why */
export async function serveBundleEndpoint(options: BundleEndpointOptions): Promise<BundleEndpoint> {
  const { certificate, address, port } = options
  const document = currentDocument(options)
  const isFlooding = floodGuard(options.clock)
  const server = createServer(
    {
      ...TLS_SETTINGS,
      ...certificate.current(),
      ...certificate.tls,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => {
      try {
        answer(request, response, document, isFlooding)
      } catch (error) {
        // Anybody may ask: what goes wrong with an answer must end neither the process nor in the answer.
        options.onFailure(error)
        refuse(response, 500, 'internal error')
      }
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  const cutAllOff = shareConnections(server, MAX_CONNECTIONS_PER_NETWORK)
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  const place = { shown: `${address} port ${port}`, key: 'federation.bundle_endpoint.port' }
  const bound = await bindServer(server, { host: address, port }, place)
  const show = () => server.setSecureContext({ ...TLS_SETTINGS, ...certificate.current() })
  const stopRotation = certificate.onChange(show)
  show() // it may have been replaced while the port was being bound
  return {
    port: bound,
    async [Symbol.asyncDispose]() {
      stopRotation()
      await endServer(server, cutAllOff)
    },
  }
}

interface Document {
  readonly body: Buffer
  readonly tag: string
}

/** Formats each bundle once. */
function currentDocument({ bundle, refreshHintSeconds }: BundleEndpointOptions): () => Document {
  let made: { readonly of: Bundle; readonly document: Document } | undefined
  return () => {
    const present = bundle()
    if (made?.of === present) return made.document
    const body = Buffer.from(formatBundleDocument({ ...present, refreshHintSeconds }))
    const tag = `"${createHash('sha256').update(body).digest('base64url')}"`
    made = { of: present, document: { body, tag } }
    return made.document
  }
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  document: () => Document,
  isFlooding: (network: string) => boolean,
): void {
  request.resume() // nobody reads a body
  if (isFlooding(networkOf(request.socket.remoteAddress ?? ''))) {
    refuse(response, 429, 'too many requests', { 'retry-after': RETRY_AFTER_SECONDS })
  } else if ((request.url ?? '').replace(/\?.*$/s, '') !== '/') {
    refuse(response, 404, '404 page not found')
  } else if (request.method !== 'GET') {
    refuse(response, 405, 'method is not allowed', { allow: 'GET' })
  } else {
    const { body, tag } = document()
    // May be kept, but must be asked about each time: whoever asks gets the newest (Federation §5.1).
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-cache', etag: tag }
    const isKnown = request.headers['if-none-match'] === tag
    response.writeHead(isKnown ? 304 : 200, headers)
    response.end(isKnown ? undefined : body)
  }
}

function refuse(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers })
  response.end(`${text}\n`)
}

/** @returns whether this network has asked too often. Forgets everybody when there are too many to remember. */
function floodGuard(clock: Clock): (network: string) => boolean {
  const buckets = new Map<string, Bucket>()
  return (network) => {
    const now = clock.now().getTime()
    if (buckets.size > MAX_NETWORKS) buckets.clear()
    const { bucket, waitMs } = take(buckets.get(network) ?? fullBucket(RATE, now), 1, RATE, now)
    if (waitMs > 0) return true
    buckets.set(network, bucket)
    return false
  }
}
