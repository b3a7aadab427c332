/**
 * How a bundle changes. Each function returns the next bundle with a sequence number one higher, or the very
 * same object when there is nothing to change. Bundles of two trust domains never meet here.
 *
 * @see SPIFFE-Trust-Domain-and-Bundle §4.1.1 — the sequence number
 */
import type { Bundle, JwtAuthority, X509Authority } from '../bundle.ts'
import { IdentityError } from '../error.ts'
import { parseCertificate } from '../x509/certificate.ts'
import { authorityIdOf } from '../x509/key-id.ts'

export interface Authorities {
  readonly x509Authorities?: readonly X509Authority[]
  readonly jwtAuthorities?: readonly JwtAuthority[]
}

/**
 * Adds what is not there yet. A known certificate or key stays as it is, tainted or not.
 * @throws IdentityError BUNDLE_MALFORMED when a key ID is already that of another key: tokens would be ambiguous
 */
export function appendAuthorities(bundle: Bundle, added: Authorities): Bundle {
  const x509Authorities = [...bundle.x509Authorities]
  for (const authority of added.x509Authorities ?? []) {
    if (!x509Authorities.some(({ der }) => isEqual(der, authority.der))) {
      x509Authorities.push(authority)
    }
  }
  const jwtAuthorities = [...bundle.jwtAuthorities]
  for (const authority of added.jwtAuthorities ?? []) {
    const known = jwtAuthorities.find(({ keyId }) => keyId === authority.keyId)
    if (known === undefined) jwtAuthorities.push(authority)
    else if (!isEqual(known.publicKey, authority.publicKey)) {
      throw new IdentityError(
        'BUNDLE_MALFORMED',
        `key ID ${JSON.stringify(authority.keyId)} already belongs to another JWT key`,
      )
    }
  }
  return changed(bundle, { x509Authorities, jwtAuthorities })
}

export interface FollowUpstreamOptions {
  /** What upstream said last; undefined: nothing was heard yet. */
  readonly before: Required<Authorities> | undefined
  /** IDs of our own JWT keys. */
  readonly ownKeys: ReadonlySet<string>
}

/**
 * Takes over what an upstream authority vouches with: adds what is new, taints what is tainted there, and lets tainted
 * authorities go that are gone there. What was known there before and is not here was removed by hand: it is not added again.
 * What we have beside that, another server's keys for instance, stays; so do our own keys, tainted or not, which an operator
 * of ours revokes.
 */
export function followUpstream(
  bundle: Bundle,
  upstream: Required<Authorities>,
  { before, ownKeys }: FollowUpstreamOptions,
): Bundle {
  const rootsBefore = new Set(before?.x509Authorities.map(({ der }) => keyOf(der)))
  const keysBefore = new Set(before?.jwtAuthorities.map(({ keyId }) => keyId))
  const added = appendAuthorities(bundle, {
    x509Authorities: upstream.x509Authorities.filter(({ der }) => !rootsBefore.has(keyOf(der))),
    jwtAuthorities: upstream.jwtAuthorities.filter(({ keyId }) => !keysBefore.has(keyId)),
  })
  const above = new Map(upstream.x509Authorities.map((one) => [keyOf(one.der), one]))
  const keysAbove = new Map(upstream.jwtAuthorities.map((one) => [one.keyId, one]))
  const x509Authorities = follow(added.x509Authorities, ({ der }) => above.get(keyOf(der)))
  const jwtAuthorities = follow(
    added.jwtAuthorities,
    ({ keyId }) => keysAbove.get(keyId),
    ({ keyId }) => ownKeys.has(keyId),
  )
  const next = changed(added, { x509Authorities, jwtAuthorities })
  // One write is one step, however much it changes.
  return next === bundle ? bundle : { ...next, sequenceNumber: bundle.sequenceNumber + 1 }
}

function follow<T extends { readonly tainted: boolean }>(
  present: readonly T[],
  above: (one: T) => T | undefined,
  isOwn: (one: T) => boolean = () => false,
): readonly T[] {
  return present
    .filter((one) => !one.tainted || above(one) !== undefined || isOwn(one))
    .map((one) => (above(one)?.tainted === true && !one.tainted ? { ...one, tainted: true } : one))
}

function keyOf(der: Uint8Array): string {
  return Buffer.from(der).toString('base64')
}

/**
 * Removes what expired more than `graceMs` ago, but never the last authority of a kind: a bundle emptied by a
 * wrong clock would lock everybody out, and an expired authority vouches for nothing anyway.
 */
export function pruneExpired(bundle: Bundle, now: Date, graceMs: number): Bundle {
  const limit = now.getTime() - graceMs
  const isLive = (expiresAt: Date | undefined) =>
    expiresAt === undefined || expiresAt.getTime() > limit
  const x509Authorities = bundle.x509Authorities.filter(({ der }) =>
    isLive(parseCertificate(der).notAfter),
  )
  const jwtAuthorities = bundle.jwtAuthorities.filter(({ expiresAt }) => isLive(expiresAt))
  return changed(bundle, {
    x509Authorities: x509Authorities.length === 0 ? bundle.x509Authorities : x509Authorities,
    jwtAuthorities: jwtAuthorities.length === 0 ? bundle.jwtAuthorities : jwtAuthorities,
  })
}

/** @throws IdentityError NOT_FOUND */
export function taintX509Authority(bundle: Bundle, authorityId: string): Bundle {
  const isIt = ({ der }: X509Authority) => authorityIdOf(der) === authorityId
  refuseUnknown(bundle.x509Authorities.some(isIt), 'X.509 authority', authorityId)
  return changed(bundle, { x509Authorities: taint(bundle.x509Authorities, isIt) })
}

/** @throws IdentityError NOT_FOUND, or PRECONDITION_FAILED when it is not tainted */
export function revokeX509Authority(bundle: Bundle, authorityId: string): Bundle {
  const isIt = ({ der }: X509Authority) => authorityIdOf(der) === authorityId
  refuseUntainted(bundle.x509Authorities.filter(isIt), 'X.509 authority', authorityId)
  return changed(bundle, { x509Authorities: bundle.x509Authorities.filter((one) => !isIt(one)) })
}

/** @throws IdentityError NOT_FOUND */
export function taintJwtAuthority(bundle: Bundle, authorityId: string): Bundle {
  const isIt = ({ keyId }: JwtAuthority) => keyId === authorityId
  refuseUnknown(bundle.jwtAuthorities.some(isIt), 'JWT authority', authorityId)
  return changed(bundle, { jwtAuthorities: taint(bundle.jwtAuthorities, isIt) })
}

/** @throws IdentityError NOT_FOUND, or PRECONDITION_FAILED when it is not tainted */
export function revokeJwtAuthority(bundle: Bundle, authorityId: string): Bundle {
  const isIt = ({ keyId }: JwtAuthority) => keyId === authorityId
  refuseUntainted(bundle.jwtAuthorities.filter(isIt), 'JWT authority', authorityId)
  return changed(bundle, { jwtAuthorities: bundle.jwtAuthorities.filter((one) => !isIt(one)) })
}

function taint<T extends { readonly tainted: boolean }>(
  authorities: readonly T[],
  isIt: (one: T) => boolean,
): readonly T[] {
  return authorities.map((one) => (isIt(one) && !one.tainted ? { ...one, tainted: true } : one))
}

function refuseUnknown(isKnown: boolean, kind: string, authorityId: string): void {
  if (isKnown) return
  throw new IdentityError('NOT_FOUND', `no ${kind} found with ID ${JSON.stringify(authorityId)}`)
}

/** What still signs must not be taken out of the bundle: tainting it first makes everybody rotate away. */
function refuseUntainted(
  found: readonly { readonly tainted: boolean }[],
  kind: string,
  authorityId: string,
): void {
  refuseUnknown(found.length > 0, kind, authorityId)
  if (found.every(({ tainted }) => tainted)) return
  throw new IdentityError(
    'PRECONDITION_FAILED',
    `${kind} ${JSON.stringify(authorityId)} is not tainted; taint it before it is revoked`,
  )
}

function changed(
  bundle: Bundle,
  next: Partial<Pick<Bundle, 'x509Authorities' | 'jwtAuthorities'>>,
): Bundle {
  const isSame =
    isSameList(bundle.x509Authorities, next.x509Authorities) &&
    isSameList(bundle.jwtAuthorities, next.jwtAuthorities)
  return isSame ? bundle : { ...bundle, ...next, sequenceNumber: bundle.sequenceNumber + 1 }
}

function isSameList<T>(before: readonly T[], after: readonly T[] | undefined): boolean {
  if (after === undefined) return true
  return before.length === after.length && before.every((one, index) => one === after[index])
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
