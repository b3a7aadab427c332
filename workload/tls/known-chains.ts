/**
 * Chains that were verified are verified again only when that could come out otherwise: with another bundle of their trust
 * domain, at a time beyond one of their certificates', or for another purpose. A mesh is called by the same few peers again
 * and again, and reading and verifying their certificates costs as much as a good part of the handshake.
 *
 * Only what was believed is kept, by every byte of what was presented. A refusal is worked out anew each time.
 * Bound: how many are kept, and the bytes of each.
 *
 * @see X509-SVID §5 — validation
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import { type SpiffeId, trustDomainOf } from '../../spiffe/id.ts'
import { type VerifyPeerOptions, verifyPeer } from '../../spiffe/x509/verify.ts'

/** What is known of a chain that was believed. */
export interface Vouched {
  readonly id: SpiffeId
  /** When the authority that vouched for it ends by itself. */
  readonly authorityExpiresAt: Date
}

interface Known extends Vouched {
  /** Bundles are never changed, but replaced by others. */
  readonly bundle: Bundle | undefined
  /** While every certificate of the path is valid, both ends included. */
  readonly from: Date
  readonly until: Date
}

const MAX_KNOWN = 512
/** Of a chain; a peer may add certificates that nobody needs. */
const MAX_BYTES = 8_192

/** In the order of their last use. */
const known = new Map<string, Known>()

/** @throws IdentityError as `verifyPeer` */
export function verifyKnown(options: VerifyPeerOptions): Vouched {
  const bytes = options.chain.reduce((sum, { length }) => sum + length, 0)
  if (bytes > MAX_BYTES) return verify(options)
  const key = keyOf(options)
  const before = known.get(key)
  known.delete(key)
  const one = before !== undefined && isStillTrue(before, options) ? before : verify(options)
  known.set(key, one)
  const [oldest] = known.keys()
  if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest)
  return one
}

function verify(options: VerifyPeerOptions): Known {
  const { id, leaf, path } = verifyPeer(options)
  const bundle = options.bundles.get(trustDomainOf(id))
  const from = new Date(Math.max(...path.map(({ notBefore }) => notBefore.getTime())))
  const until = new Date(Math.min(...path.map(({ notAfter }) => notAfter.getTime())))
  return { id, authorityExpiresAt: (path.at(-1) ?? leaf).notAfter, bundle, from, until }
}

/** Written so that a time that is none makes it be verified anew. */
function isStillTrue(
  { id, bundle, from, until }: Known,
  { bundles, now }: VerifyPeerOptions,
): boolean {
  const isTheSame = bundle !== undefined && bundles.get(trustDomainOf(id)) === bundle
  return isTheSame && from <= now && now <= until
}

function keyOf({ chain, usage }: VerifyPeerOptions): string {
  return `${usage ?? 'any'} ${chainKey(chain)}`
}

/** Every byte of a chain, and the lengths, so that the same bytes cut otherwise are another chain. @param chain DER */
export function chainKey(chain: readonly Uint8Array[]): string {
  return chain.map((der) => `${der.length} ${Buffer.from(der).toString('latin1')}`).join('')
}
