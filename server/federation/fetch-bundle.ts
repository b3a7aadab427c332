/**
 * Fetches a bundle document from its endpoint. Fails closed: not a byte is sent before the endpoint has proved who it
 * is, by the profile of the relationship alone; a redirect must prove the same.
 *
 * @see Federation §5.2 — https_web and https_spiffe, redirects
 */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { webRoots } from '../../acme/transport.ts'
import { request } from '../../proto/node-http.ts'
import { peerChain } from '../../proto/peer-chain.ts'
import { parseBundleDocument } from '../../spiffe/bundle/jwks.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { type SpiffeId, type TrustDomain, trustDomainOf } from '../../spiffe/id.ts'
import { KEY_EXCHANGE_GROUPS } from '../../spiffe/key-exchange.ts'
import { verifyX509Svid } from '../../spiffe/x509/verify.ts'
import { checkEndpointUrl } from './endpoint-url.ts'
import type { EndpointProfile, FederationRelationship } from './relationship.ts'

export interface FetchBundleDeps {
  /** What `https_spiffe` endpoints are judged by: the bundle of the trust domain of the endpoint's own ID. */
  bundleOf(trustDomain: TrustDomain): Promise<Bundle | undefined>
  readonly clock: Clock
}

export type FetchBundle = (
  relationship: FederationRelationship,
  signal: AbortSignal,
) => Promise<Bundle>

/** Shorter than callers of RefreshBundle wait, so that they hear the reason. */
const DEADLINE_MS = 20_000
const MAX_DOCUMENT_BYTES = 4 << 20
const MAX_REDIRECTS = 5
const DEFAULT_PORT = 443

/** @returns a function that throws IdentityError UNAVAILABLE, CERTIFICATE_UNTRUSTED or BUNDLE_MALFORMED */
export function bundleFetcher(deps: FetchBundleDeps): FetchBundle {
  return async (relationship, signal) => {
    const { profile, trustDomain } = relationship
    const deadline = new AbortController()
    const done = new AbortController()
    const giveUp = () => deadline.abort()
    signal.addEventListener('abort', giveUp, { once: true })
    void deps.clock.sleep(DEADLINE_MS, AbortSignal.any([signal, done.signal])).then(giveUp)
    try {
      const text = await download(relationship.endpointUrl, profile, deps, deadline.signal)
      return parseBundleDocument(text, trustDomain)
    } catch (error) {
      if (error instanceof IdentityError) throw error
      throw new IdentityError('UNAVAILABLE', reasonOf(error), { cause: error })
    } finally {
      done.abort()
      signal.removeEventListener('abort', giveUp)
    }
  }
}

async function download(
  from: string,
  profile: EndpointProfile,
  deps: FetchBundleDeps,
  signal: AbortSignal,
): Promise<string> {
  let url = new URL(from)
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await get(url, await openTls(url, profile, deps, signal), signal)
    const { statusCode = 0, headers } = response
    if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
      response.destroy()
      url = redirected(headers.location, url)
      continue
    }
    if (statusCode !== 200) {
      response.destroy()
      throw new IdentityError('UNAVAILABLE', `the endpoint answered ${statusCode}, expected 200`)
    }
    return await readBounded(response, signal)
  }
  throw new IdentityError('UNAVAILABLE', `the endpoint redirects more than ${MAX_REDIRECTS} times`)
}

function redirected(location: string, from: URL): URL {
  const next = URL.parse(location, from.href)
  if (next !== null) return new URL(checkEndpointUrl(next.href))
  const why = `the endpoint redirects to ${JSON.stringify(location)}, expected a URL`
  throw new IdentityError('UNAVAILABLE', why)
}

/** Resolves with a connection whose other end has proved who it is. */
async function openTls(
  url: URL,
  profile: EndpointProfile,
  deps: FetchBundleDeps,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const authority =
    profile.kind === 'https_spiffe' ? await endpointBundle(profile, deps) : undefined
  const socket = connect({
    host,
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    minVersion: 'TLSv1.2',
    ecdhCurve: KEY_EXCHANGE_GROUPS,
    ALPNProtocols: ['http/1.1'],
    // https_spiffe: OpenSSL knows no SPIFFE IDs; we verify ourselves below, before anything is sent.
    ...(authority === undefined ? { ca: [...webRoots()] } : { rejectUnauthorized: false }),
  })
  socket.on('error', () => {}) // heard by the handshake, then by the request; in between it must not end the process
  const abort = () => socket.destroy(new Error('the endpoint did not answer in time'))
  signal.addEventListener('abort', abort, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', abort))
  if (signal.aborted) abort()
  try {
    await handshake(socket)
    if (authority !== undefined) verify(socket, authority, deps.clock)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

interface EndpointAuthority {
  readonly id: SpiffeId
  readonly bundle: Bundle
}

async function endpointBundle(
  { endpointId: id }: EndpointProfile & { kind: 'https_spiffe' },
  { bundleOf }: FetchBundleDeps,
): Promise<EndpointAuthority> {
  const trustDomain = trustDomainOf(id)
  const bundle = await bundleOf(trustDomain)
  if (bundle !== undefined) return { id, bundle }
  throw new IdentityError(
    'CERTIFICATE_UNTRUSTED',
    `can't perform SPIFFE Authentication: local copy of bundle not found; give the bundle of ${trustDomain} once with bundle set`,
  )
}

function verify(socket: TLSSocket, { id: expected, bundle }: EndpointAuthority, clock: Clock) {
  const chain = peerChain(socket.getPeerCertificate(true))
  const { id } = verifyX509Svid({ chain, bundle, now: clock.now(), usage: 'serverAuth' })
  if (id === expected) return
  throw new IdentityError('CERTIFICATE_UNTRUSTED', `the endpoint is ${id}, expected ${expected}`)
}

function handshake(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', () => resolve())
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed during the handshake')))
  })
}

function get(url: URL, socket: TLSSocket, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request({
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: { host: url.host, accept: 'application/json', connection: 'close' },
      createConnection: () => socket,
      signal,
    })
    sent.once('response', resolve)
    sent.once('error', reject)
    // After another status than those of HTTP that we know, e.g. 101, it says no more than this.
    sent.once('close', () => reject(new Error('the connection was closed without an answer')))
    sent.end()
  })
}

async function readBounded(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for await (const part of response) {
      if (!(part instanceof Uint8Array)) throw new Error('the answer has no bytes')
      size += part.length
      if (size > MAX_DOCUMENT_BYTES) {
        response.destroy()
        const why = `the document is longer than ${MAX_DOCUMENT_BYTES} bytes`
        throw new IdentityError('BUNDLE_MALFORMED', why)
      }
      parts.push(part)
    }
  } catch (error) {
    if (signal.aborted || error instanceof IdentityError) throw error
    const why = `the connection was closed within the document: ${reasonOf(error)}`
    throw new IdentityError('UNAVAILABLE', why, { cause: error })
  }
  return decode(Buffer.concat(parts))
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new IdentityError('BUNDLE_MALFORMED', 'the document is not UTF-8', { cause })
  }
}
