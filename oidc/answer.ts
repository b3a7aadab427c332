/**
 * What the provider answers to which request. Pure: the keys of the moment and the request go in, the answer comes out.
 *
 * @see SPIRE API §12 — paths, headers and statuses
 */
import { formatDiscoveryDocument } from './discovery-document.ts'

export interface Question {
  readonly method: string
  readonly path: string
  /** The Host header, or X-Forwarded-Host where a proxy in front of us set it. */
  readonly host: string
  readonly isHttps: boolean
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface ProviderSettings {
  /** Without ports. Compared as they are: a verifier compares the issuer that is made of them so, too. */
  readonly domains: readonly string[]
  /** Undefined: made of the host that was asked. */
  readonly jwtIssuer: string | undefined
  /** Undefined: beside the discovery document. */
  readonly jwksUri: string | undefined
  /** Begins with a slash and does not end with one; or empty. */
  readonly pathPrefix: string
  /** Whether documents name http where they are asked over http. */
  readonly allowsHttp: boolean
}

export type KeySet =
  /** Nothing was ever read. */
  | { readonly kind: 'unknown' }
  /** There are authorities, and none of them signs tokens. */
  | { readonly kind: 'none' }
  | { readonly kind: 'known'; readonly body: string; readonly modifiedAt: Date }

const DISCOVERY_PATH = '/.well-known/openid-configuration'
const KEYS_PATH = '/keys'
const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }

export function answer(question: Question, keys: KeySet, settings: ProviderSettings): Answer {
  const { method, path } = question
  const { pathPrefix } = settings
  if (path !== pathPrefix + DISCOVERY_PATH && path !== pathPrefix + KEYS_PATH) {
    return refuse(404, '404 page not found')
  }
  if (method !== 'GET') return refuse(405, 'method not allowed')
  return path === pathPrefix + KEYS_PATH ? keySet(keys) : discovery(question, settings)
}

function discovery({ host, isHttps }: Question, settings: ProviderSettings): Answer {
  const name = host.replace(/:\d*$/, '')
  if (!settings.domains.includes(name)) {
    return refuse(400, `domain ${JSON.stringify(name)} is not allowed`)
  }
  const scheme = isHttps || !settings.allowsHttp ? 'https' : 'http'
  const base = `${scheme}://${host}${settings.pathPrefix}`
  const body = formatDiscoveryDocument({
    issuer: settings.jwtIssuer ?? base,
    jwksUri: settings.jwksUri ?? `${base}${KEYS_PATH}`,
  })
  return { status: 200, headers: { 'content-type': 'application/json' }, body }
}

function keySet(keys: KeySet): Answer {
  switch (keys.kind) {
    case 'unknown':
      return refuse(500, 'document not available')
    case 'none':
      return refuse(501, 'no JWT keys: the trust domain issues no JWT-SVIDs')
    case 'known':
      return {
        status: 200,
        headers: {
          'content-type': 'application/json',
          'access-control-allow-origin': '*',
          // A key that is gone must not be believed from anybody's cache.
          'cache-control': 'no-cache, no-store, must-revalidate',
          pragma: 'no-cache',
          expires: '0',
          'last-modified': keys.modifiedAt.toUTCString(),
        },
        body: keys.body,
      }
    default:
      return keys satisfies never
  }
}

function refuse(status: number, body: string): Answer {
  return { status, headers: TEXT, body: `${body}\n` }
}
