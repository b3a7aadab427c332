/**
 * How the agent comes to trust the server before it has a bundle of its own: from a file, from an https address
 * checked by the machine's roots, from a socket of this machine, or, by the operator's explicit word, not at all.
 */
import { readFile } from 'node:fs/promises'
import { parseBundleDocument } from '../../spiffe/bundle/jwks.ts'
import { parseBundlePem } from '../../spiffe/bundle/pem.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { Bootstrap, BundleFormat } from '../config/bootstrap.ts'
import type { SocketFetch } from './bootstrap-socket.ts'
import { fetchFromWorkloadApi } from './bootstrap-workload-api.ts'
import { type CallLimits, withDeadline } from './call.ts'
import type { ServerTrust } from './server-credentials.ts'

export interface BootstrapDeps extends CallLimits {
  readonly trustDomain: TrustDomain
  readonly fetch: typeof fetch
  /** What a bundle's socket is told of the agent's attempt. */
  readonly attempt: SocketFetch['attempt']
}

const MAX_BUNDLE_BYTES = 4 << 20
const MAX_REDIRECTS = 5

/** @throws IdentityError CONFIG_INVALID or UNAVAILABLE, saying where the bundle should have come from */
export async function bootstrapTrust(
  bootstrap: Bootstrap,
  deps: BootstrapDeps,
): Promise<ServerTrust> {
  if (bootstrap.kind === 'insecure') return { kind: 'insecure' }
  const bundle = await bundleFrom(bootstrap, deps)
  return { kind: 'bundle', bundle: () => bundle }
}

async function bundleFrom(
  bootstrap: Exclude<Bootstrap, { kind: 'insecure' }>,
  deps: BootstrapDeps,
): Promise<Bundle> {
  switch (bootstrap.kind) {
    case 'file':
      return await fromFile(bootstrap, deps)
    case 'url':
      return await fromUrl(bootstrap, deps)
    case 'socket-url':
      return await fromSocket(bootstrap, deps)
    case 'workload-api':
      return await fetchFromWorkloadApi(bootstrap.address, deps.trustDomain, deps)
    default:
      return bootstrap satisfies never
  }
}

async function fromFile(
  { path, format }: Bootstrap & { kind: 'file' },
  { trustDomain }: BootstrapDeps,
): Promise<Bundle> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const why = `cannot read trust_bundle_path ${path}: ${reasonOf(error)}`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
  return parseAs(format, text, trustDomain, `trust_bundle_path ${path}`)
}

async function fromUrl(
  { url, format }: Bootstrap & { kind: 'url' },
  deps: BootstrapDeps,
): Promise<Bundle> {
  // The address may carry a password: only its host is ever shown.
  const source = `trust_bundle_url at ${new URL(url).host}`
  const text = await fetched(source, deps, (signal) => download(url, deps.fetch, signal))
  return parseAs(format, text, deps.trustDomain, source)
}

async function fromSocket(
  { url, socketPath, format }: Bootstrap & { kind: 'socket-url' },
  deps: BootstrapDeps,
): Promise<Bundle> {
  const source = `trust_bundle_url over trust_bundle_unix_socket ${socketPath}`
  const { attempt } = deps
  const { fetchFromSocket } = await import('./bootstrap-socket.ts')
  const text = await fetched(source, deps, (signal) =>
    fetchFromSocket({ url, socketPath, attempt, maxBytes: MAX_BUNDLE_BYTES, signal }),
  )
  return parseAs(format, text, deps.trustDomain, source)
}

async function fetched(
  source: string,
  limits: CallLimits,
  get: (signal: AbortSignal) => Promise<string>,
): Promise<string> {
  try {
    return await withDeadline(limits, async (onCall) => {
      const over = new AbortController()
      onCall({ cancel: () => over.abort() })
      return await get(over.signal)
    })
  } catch (error) {
    // fetch() says only that it failed; the cause says why.
    const cause = error instanceof Error ? (error.cause ?? error) : error
    const why = `cannot fetch ${source}: ${reasonOf(cause)}`
    throw new IdentityError('UNAVAILABLE', why, { cause: error })
  }
}

async function download(url: string, get: typeof fetch, signal: AbortSignal): Promise<string> {
  let next = url
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await get(next, { redirect: 'manual', signal })
    const location = response.headers.get('location')
    if (response.status >= 300 && response.status < 400 && location !== null) {
      next = new URL(location, next).href
      // Fails closed: whoever sits on a plain connection could hand out any roots.
      if (!next.startsWith('https://')) throw new Error('it redirects to an address without https')
      continue
    }
    if (response.status !== 200) throw new Error(`HTTP status ${response.status}, expected 200`)
    return await readBounded(response)
  }
  throw new Error(`more than ${MAX_REDIRECTS} redirects`)
}

async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    if (size > MAX_BUNDLE_BYTES) throw new Error(`more than ${MAX_BUNDLE_BYTES} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function parseAs(
  format: BundleFormat,
  text: string,
  trustDomain: TrustDomain,
  source: string,
): Bundle {
  const bundle = parse(format, text, trustDomain, source)
  if (bundle.x509Authorities.length > 0) return bundle
  throw new IdentityError('CONFIG_INVALID', `${source} holds no X.509 authority`)
}

function parse(
  format: BundleFormat,
  text: string,
  trustDomain: TrustDomain,
  source: string,
): Bundle {
  try {
    return format === 'pem'
      ? parseBundlePem(text, trustDomain)
      : parseBundleDocument(text, trustDomain)
  } catch (error) {
    const why = `${source} is no bundle in ${format} format: ${reasonOf(error)}; see trust_bundle_format`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
}
