/**
 * SPIFFE IDs and trust domains. A value of these types has been checked against the grammar.
 * Upper case is refused in the host, as go-spiffe does (§2.1 demands lower case, §2.4 would read it).
 *
 * @see SPIFFE-ID §2 — grammar, normalization and limits
 */
import { IdentityError } from './error.ts'

declare const brand: unique symbol

/** An identity in a trust domain, e.g. `spiffe://prod.example/ns/shop/sa/cart`. The path may be empty. */
export type SpiffeId = string & { readonly [brand]: 'SpiffeId' }

/** The bare name of a trust domain, e.g. `prod.example`. */
export type TrustDomain = string & { readonly [brand]: 'TrustDomain' }

/** §2.3: implementations must support this length and should not generate longer ones; longer is refused. */
const MAX_ID_BYTES = 2048
const MAX_TRUST_DOMAIN_BYTES = 255

const SCHEME = 'spiffe://'
const TRUST_DOMAIN = /^[a-z0-9._-]+$/
const SEGMENT = /^[A-Za-z0-9._-]+$/

/**
 * Reads a SPIFFE ID. Percent-encoding, ports, user info, queries and fragments fall out of the grammar.
 * @throws IdentityError SPIFFE_ID_INVALID naming the first thing that is wrong
 */
export function parseSpiffeId(text: string): SpiffeId {
  const refuse = (why: string): never => {
    throw new IdentityError(
      'SPIFFE_ID_INVALID',
      `not a SPIFFE ID: ${JSON.stringify(text.slice(0, 256))}: ${why}`,
    )
  }
  if (text === '') refuse('it is empty')
  if (text.length > MAX_ID_BYTES) refuse(`it is longer than ${MAX_ID_BYTES} bytes`)
  if (!text.startsWith(SCHEME)) refuse('scheme is missing or invalid, expected spiffe://')
  const rest = text.slice(SCHEME.length)
  const slash = rest.indexOf('/')
  const domain = slash === -1 ? rest : rest.slice(0, slash)
  const wrongDomain = wrongWithTrustDomain(domain)
  if (wrongDomain !== undefined) refuse(wrongDomain)
  if (slash !== -1) {
    const wrongPath = wrongWithPath(rest.slice(slash))
    if (wrongPath !== undefined) refuse(wrongPath)
  }
  return text as SpiffeId
}

/** Reads a trust domain given by its bare name or by its SPIFFE ID; a path after it is refused. */
export function parseTrustDomain(text: string): TrustDomain {
  const name = text.startsWith(SCHEME) ? text.slice(SCHEME.length) : text
  const wrong = wrongWithTrustDomain(name)
  if (wrong !== undefined) {
    throw new IdentityError(
      'TRUST_DOMAIN_INVALID',
      `not a trust domain: ${JSON.stringify(text.slice(0, 256))}: ${wrong}`,
    )
  }
  return name as TrustDomain
}

/** Builds an ID from its two parts; `path` is empty or starts with a slash. */
export function spiffeId(trustDomain: TrustDomain, path: string): SpiffeId {
  return parseSpiffeId(`${SCHEME}${trustDomain}${path}`)
}

export function trustDomainOf(id: SpiffeId): TrustDomain {
  const slash = id.indexOf('/', SCHEME.length)
  return (slash === -1 ? id.slice(SCHEME.length) : id.slice(SCHEME.length, slash)) as TrustDomain
}

/** The path with its leading slash, or an empty string for the ID of a trust domain. */
export function pathOf(id: SpiffeId): string {
  const slash = id.indexOf('/', SCHEME.length)
  return slash === -1 ? '' : id.slice(slash)
}

/** The ID of a trust domain itself, as its CA certificates carry it and bundle maps are keyed. */
export function trustDomainId(trustDomain: TrustDomain): SpiffeId {
  return `${SCHEME}${trustDomain}` as SpiffeId
}

/** The server's own ID. */
export function serverId(trustDomain: TrustDomain): SpiffeId {
  return spiffeId(trustDomain, '/spire/server')
}

/** Paths under `/spire` are kept for the server and its agents; no workload may have one. */
export function isReserved(id: SpiffeId): boolean {
  const path = pathOf(id)
  return path === '/spire' || path.startsWith('/spire/')
}

export function isAgentId(id: SpiffeId): boolean {
  return pathOf(id).startsWith('/spire/agent/')
}

function wrongWithTrustDomain(name: string): string | undefined {
  if (name === '') return 'trust domain is missing'
  if (name.length > MAX_TRUST_DOMAIN_BYTES) {
    return `trust domain is longer than ${MAX_TRUST_DOMAIN_BYTES} bytes`
  }
  if (!TRUST_DOMAIN.test(name)) {
    return 'trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores'
  }
  return undefined
}

function wrongWithPath(path: string): string | undefined {
  for (const segment of path.slice(1).split('/')) {
    if (segment === '') return 'path cannot have empty segments or a trailing slash'
    if (segment === '.' || segment === '..') return 'path cannot contain dot segments'
    if (!SEGMENT.test(segment)) {
      return 'path segment characters are limited to letters, numbers, dots, dashes, and underscores'
    }
  }
  return undefined
}
