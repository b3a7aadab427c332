/**
 * Who signs this server's own CA certificates, when it does not sign them itself: a CA on disk, or another SPIRE
 * server. Its roots are then those of the trust domain.
 *
 * @see SPIRE behaviour §8 — upstream authorities
 */
import type { JwtAuthority, X509Authority } from '../../spiffe/bundle.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { Certificate } from '../../spiffe/x509/certificate.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { findPath } from '../../spiffe/x509/path.ts'

export interface MintedX509Ca {
  /** DER, the new CA first, then what leads to a root; no root. */
  readonly chain: readonly [Uint8Array, ...Uint8Array[]]
  /** All that upstream vouches with. */
  readonly roots: readonly X509Authority[]
}

/** What upstream vouches with now. */
export interface UpstreamRoots {
  readonly x509Authorities: readonly X509Authority[]
  readonly jwtAuthorities: readonly JwtAuthority[]
}

export interface UpstreamAuthority extends AsyncDisposable {
  /** As in the configuration. */
  readonly name: 'disk' | 'spire'
  /** @param csr PKCS#10, DER. @param ttlSeconds a wish. @throws IdentityError UNAVAILABLE with the reason */
  mintX509Ca(csr: Uint8Array, ttlSeconds: number): Promise<MintedX509Ca>
  /** Makes a JWT key known upstream. @returns all that are known there; undefined: upstream keeps no JWT keys */
  publishJwtKey(key: JwtAuthority): Promise<readonly JwtAuthority[] | undefined>
  /** Tells of the newest roots until the signal aborts; returns at once where they never change by themselves. */
  follow(onRoots: (roots: UpstreamRoots) => Promise<void>, signal: AbortSignal): Promise<void>
}

/** Fails closed: in our bundle, a root that we cannot read would be in everybody's way. @throws IdentityError UNAVAILABLE */
export function mustBeReadable(roots: readonly X509Authority[]): void {
  try {
    for (const { der } of roots) parseCertificate(der)
  } catch (error) {
    const why = `the upstream authority vouches with a root that cannot be read: ${reasonOf(error)}`
    throw new IdentityError('UNAVAILABLE', why, { cause: error })
  }
}

/**
 * The root that vouches for a minted CA. Refuses a CA that no root of the same answer vouches for: what it signed
 * would be refused everywhere.
 * @throws IdentityError UNAVAILABLE
 */
export function rootOf({ chain, roots }: MintedX509Ca, now: Date): Certificate {
  mustBeReadable(roots)
  const [leaf, ...intermediates] = chain.map(parseCertificate)
  if (leaf === undefined) throw new Error('a chain has at least one certificate')
  const path = findPath({ leaf, intermediates, authorities: roots, now, purpose: undefined })
  const root = typeof path === 'string' ? undefined : path.at(-1)
  if (root !== undefined) return root
  throw new IdentityError(
    'UNAVAILABLE',
    `the upstream authority signed a CA that its own roots do not vouch for: ${String(path)}`,
  )
}
