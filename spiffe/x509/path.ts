/**
 * Finds the path from a certificate to an authority of one bundle, and holds every step of it to RFC 5280.
 * Authorities are trusted because they are in the bundle; nothing that the peer sends is.
 *
 * @see RFC 5280 §6
 */
import type { X509Authority } from '../bundle.ts'
import { IdentityError, reasonOf } from '../error.ts'
import { parseSpiffeId, pathOf } from '../id.ts'
import { type Certificate, parseCertificate, publicKeyOf } from './certificate.ts'
import { wrongWithNames } from './name-constraints.ts'
import { OID } from './oid.ts'
import { isBelieved, isSignedBy } from './signature.ts'

export type Purpose = 'serverAuth' | 'clientAuth'

export interface PathRequest {
  readonly leaf: Certificate
  /** In any order; unneeded ones do no harm. */
  readonly intermediates: readonly Certificate[]
  readonly authorities: readonly X509Authority[]
  readonly now: Date
  /** When given, every extended key usage on the way must include it. */
  readonly purpose: Purpose | undefined
}

/** Leaf, intermediates, authority. */
export type Path = readonly Certificate[]

/** Certificates of a path. Nested SPIRE servers need one for each level. */
const MAX_PATH_LENGTH = 10
/** A peer chooses its intermediates: without a bound it could make us try all orders of them. */
const MAX_SIGNATURE_CHECKS = 64

interface Search extends PathRequest {
  checksLeft: number
  /** Why candidates were refused, in the order in which they were met. */
  readonly refusals: string[]
}

const UNKNOWN_AUTHORITY = 'certificate is signed by unknown authority'
const DID_NOT_SIGN = 'has the name of the issuer and did not sign'

/** Whether there is no path because no authority signed the chain, rather than for what a certificate says. */
export function isForUnknownAuthority(whyNoPath: string): boolean {
  return whyNoPath.endsWith(UNKNOWN_AUTHORITY) || whyNoPath.endsWith(DID_NOT_SIGN)
}

/** @returns the path, or why there is none */
export function findPath(request: PathRequest): Path | string {
  const { leaf, now, purpose } = request
  const wrong = wrongWithAny(leaf, now, purpose)
  if (wrong !== undefined) return `leaf certificate ${wrong}`
  const search: Search = { ...request, checksLeft: MAX_SIGNATURE_CHECKS, refusals: [] }
  const path = extend([leaf], search)
  if (path !== undefined) return path
  if (search.checksLeft === 0) {
    return `no path was found with ${MAX_SIGNATURE_CHECKS} signature checks, no more are made`
  }
  return search.refusals[0] ?? UNKNOWN_AUTHORITY
}

function extend(path: Path, search: Search): Path | undefined {
  const last = path.at(-1)
  if (last === undefined || path.length >= MAX_PATH_LENGTH) {
    search.refusals.push(`certificate chain is longer than ${MAX_PATH_LENGTH}`)
    return undefined
  }
  for (const authority of issuersFirst(last, authoritiesOf(search.authorities))) {
    if (isSigner(authority, 'authority', path, search)) return [...path, authority]
  }
  for (const intermediate of issuersFirst(last, search.intermediates)) {
    if (path.some((one) => isSameCa(one, intermediate))) continue
    if (!isSigner(intermediate, 'intermediate', path, search)) continue
    const found = extend([...path, intermediate], search)
    if (found !== undefined) return found
  }
  return undefined
}

/** Those with the name of the issuer; first the one whose key identifier fits as well. */
function issuersFirst({ issuer, authorityKeyId }: Certificate, all: readonly Certificate[]): Path {
  const named = all.filter(({ subject }) => Buffer.compare(subject, issuer) === 0)
  const fits = ({ subjectKeyId }: Certificate) => subjectKeyId === authorityKeyId
  return [...named.filter(fits), ...named.filter((one) => !fits(one))]
}

/** Whether `signer` may stand above the path, and has signed its last certificate. */
function isSigner(
  signer: Certificate,
  role: 'authority' | 'intermediate',
  path: Path,
  search: Search,
): boolean {
  const wrong =
    wrongWithAny(signer, search.now, search.purpose) ??
    wrongWithCa(signer, role) ??
    wrongWithWhatIsBelow(signer, path) ??
    wrongWithSignature(signer, path, search)
  if (wrong !== undefined) search.refusals.push(`${role} certificate ${wrong}`)
  return wrong === undefined
}

function wrongWithAny(
  { notBefore, notAfter, unhandledCritical, extKeyUsage }: Certificate,
  now: Date,
  purpose: Purpose | undefined,
): string | undefined {
  // Written so that a time that is none is refused as well.
  if (!(now >= notBefore)) {
    return `is not valid before ${notBefore.toISOString()}, now is ${now.toISOString()}`
  }
  if (!(now <= notAfter)) return `expired at ${notAfter.toISOString()}, now is ${now.toISOString()}`
  if (unhandledCritical.length > 0) {
    return `has critical extensions that are not supported: ${unhandledCritical.join(', ')}`
  }
  if (purpose === undefined || extKeyUsage === undefined) return undefined
  const isForIt = extKeyUsage.includes(OID[purpose]) || extKeyUsage.includes(OID.anyExtKeyUsage)
  return isForIt ? undefined : `has an extended key usage without ${purpose}`
}

/** @see X509-SVID §3.2, §4.1–4.3 */
function wrongWithCa(
  { isCa, keyUsage, uriSans }: Certificate,
  role: 'authority' | 'intermediate',
): string | undefined {
  if (!isCa) return 'does not have the CA flag set'
  // Roots made by hand often have no key usage at all; the operator trusts them as they are.
  const mayLackIt = role === 'authority'
  if (keyUsage === undefined ? !mayLackIt : !keyUsage.has('keyCertSign')) {
    return 'lacks the key usage keyCertSign'
  }
  return uriSans.some(isWorkloadId) ? 'is a CA with the SPIFFE ID of a workload' : undefined
}

function isWorkloadId(uri: string): boolean {
  if (!uri.startsWith('spiffe:')) return false
  try {
    return pathOf(parseSpiffeId(uri)) !== ''
  } catch (error) {
    if (error instanceof IdentityError) return true // an ID that is none is no trust domain either
    throw error
  }
}

function wrongWithWhatIsBelow(signer: Certificate, path: Path): string | undefined {
  const [leaf, ...cas] = path
  // RFC 5280 §6.1.4 (l): certificates that carry a name from one key to the next do not count.
  const counted = cas.filter(({ subject, issuer }) => Buffer.compare(subject, issuer) !== 0)
  if (signer.pathLength !== undefined && counted.length > signer.pathLength) {
    return `allows ${signer.pathLength} CA certificates below it, there are ${counted.length}`
  }
  const { nameConstraints } = signer
  if (nameConstraints === undefined || leaf === undefined) return undefined
  try {
    for (const below of [leaf, ...counted]) {
      const wrong = wrongWithNames(nameConstraints, below)
      if (wrong !== undefined) return `has ${wrong}`
    }
    return undefined
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return `has name constraints that cannot be read: ${reasonOf(error)}`
  }
}

function wrongWithSignature(signer: Certificate, path: Path, search: Search): string | undefined {
  const signed = path.at(-1)
  if (signed === undefined || !isBelieved(signed.signatureAlgorithm)) {
    return 'signed with an algorithm that is not accepted, e.g. SHA-1'
  }
  if (search.checksLeft === 0) return 'was not tried'
  search.checksLeft--
  try {
    const { signatureAlgorithm, tbs, signature } = signed
    return isSignedBy(publicKeyOf(signer), signatureAlgorithm, tbs, signature)
      ? undefined
      : DID_NOT_SIGN
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return `has a key that is not accepted: ${reasonOf(error)}`
  }
}

function isSameCa(one: Certificate, other: Certificate): boolean {
  return (
    Buffer.compare(one.subject, other.subject) === 0 && Buffer.compare(one.spki, other.spki) === 0
  )
}

/** Parsed once: the same few authorities check every peer. Entries die with the bundle that holds them. */
const parsed = new WeakMap<X509Authority, Certificate>()

/** One that cannot be read vouches for nobody, and is no reason to distrust the others. */
function authoritiesOf(authorities: readonly X509Authority[]): readonly Certificate[] {
  return authorities.flatMap((authority) => {
    const known = parsed.get(authority)
    if (known !== undefined) return [known]
    try {
      const certificate = parseCertificate(authority.der)
      parsed.set(authority, certificate)
      return [certificate]
    } catch (error) {
      if (error instanceof IdentityError) return []
      throw error
    }
  })
}
