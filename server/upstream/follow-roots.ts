/**
 * Keeps our bundle in step with what upstream vouches with. When upstream taints the root above our active CA, a CA
 * beneath another root is asked for at once: everything below must rotate before that root is revoked.
 *
 * @see SPIRE behaviour §7 — forced rotation through nested servers
 */
import { followUpstream } from '../../spiffe/bundle/merge.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { authorityIdOf } from '../../spiffe/x509/key-id.ts'
import type { Authorities } from '../ca/authorities.ts'
import { type JwtSigningKey, toAuthority } from '../ca/jwt-signing-key.ts'
import type { Publication } from '../ca/publication.ts'
import { EMPTY_SLOTS } from '../ca/slots.ts'
import type { X509Ca } from '../ca/x509-ca.ts'
import { mustBeReadable, type UpstreamAuthority, type UpstreamRoots } from './upstream-authority.ts'

export interface FollowRootsDeps {
  readonly upstream: Pick<UpstreamAuthority, 'follow' | 'publishJwtKey'>
  readonly publication: Publication
  readonly x509: Pick<Authorities<X509Ca>, 'slots' | 'prepare' | 'activate'>
  /** Undefined while JWT-SVIDs are disabled. */
  readonly jwt: Pick<Authorities<JwtSigningKey>, 'slots'> | undefined
  readonly onFailure: (error: unknown) => void
}

/** Runs until the signal aborts. */
export async function followRoots(deps: FollowRootsDeps, signal: AbortSignal): Promise<void> {
  let before: UpstreamRoots | undefined
  await deps.upstream.follow(async (roots) => {
    mustBeReadable(roots.x509Authorities)
    const ownKeys = ownKeysOf(deps)
    await deps.publication.update((bundle) => followUpstream(bundle, roots, { before, ownKeys }))
    before = roots
    try {
      await publishUnknownKeys(roots, deps)
      await leaveTaintedRoot(deps)
    } catch (error) {
      deps.onFailure(error)
    }
  }, signal)
}

function ownKeysOf({ jwt }: FollowRootsDeps): ReadonlySet<string> {
  const { active, prepared, old } = jwt?.slots() ?? EMPTY_SLOTS
  return new Set([active, prepared, old].flatMap((key) => key?.id ?? []))
}

/** Keys made before there was this upstream, or forgotten there, are unknown to everybody who asks it. */
async function publishUnknownKeys(
  { jwtAuthorities }: UpstreamRoots,
  { jwt, upstream }: FollowRootsDeps,
): Promise<void> {
  const { active, prepared } = jwt?.slots() ?? EMPTY_SLOTS
  for (const key of [active, prepared]) {
    if (key === undefined || jwtAuthorities.some(({ keyId }) => keyId === key.id)) continue
    await upstream.publishJwtKey(toAuthority(key))
  }
}

async function leaveTaintedRoot({ x509, publication }: FollowRootsDeps): Promise<void> {
  if (!isBelowTaint(x509.slots().active, publication.current())) return
  const prepared = await x509.prepare()
  // A CA beneath the same tainted root would be no help: it is asked for again at the next look.
  if (!isBelowTaint(prepared, publication.current())) await x509.activate(prepared.id)
}

/** Whether the root that vouches for this CA is tainted. */
function isBelowTaint(ca: X509Ca | undefined, { x509Authorities }: Bundle): boolean {
  const root = ca?.upstream?.authorityId
  if (root === undefined) return false
  return x509Authorities.some(({ der, tainted }) => tainted && authorityIdOf(der) === root)
}
