/**
 * How far the authorities of one kind have come: who has heard of each, and what each has signed that is in use. Pure:
 * all that it looks at is handed in. On any doubt somebody is behind, and an authority is perhaps in use.
 *
 * @see SPIRE behaviour §7 — forced rotation
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import { authorityIdOf } from '../../spiffe/x509/key-id.ts'
import type { Authority, Slots } from '../ca/slots.ts'
import type { UpstreamLink } from '../ca/x509-ca.ts'
import type { Handed } from '../nodes/handed-bundles.ts'
import type { Use } from './signing-ledger.ts'

export type OperatedAuthority = Authority & { readonly upstream?: UpstreamLink | undefined }

/** Who is to follow the bundle. */
export interface Follower {
  readonly id: SpiffeId
  readonly kind: 'agent' | 'downstream'
  /** The agent's SVID in use. */
  readonly svid?: { readonly serialNumber: string; readonly expiresAt: Date }
}

export interface Behind {
  readonly follower: Follower
  readonly handedAt: Date | undefined
}

export interface AuthorityProgress {
  readonly authority: OperatedAuthority
  readonly tainted: boolean
  readonly behind: readonly Behind[]
  readonly uses: readonly Use[]
  /** Undefined: everything that it has signed and that is valid is among the uses. */
  readonly unknownUntil: Date | undefined
}

export interface ProgressDeps {
  readonly kind: 'x509' | 'jwt'
  readonly bundle: Bundle
  readonly followers: readonly Follower[]
  lastHanded(id: SpiffeId): Handed | undefined
  usesOf(authorityId: string): readonly Use[]
  forgottenUntil(authorityId: string): Date | undefined
  authorityOfAgentSvid(serialNumber: string): string | undefined
  isMadeHere(authorityId: string): boolean
  readonly now: Date
}

type InBundle = 'absent' | 'trusted' | 'tainted'

/** @returns undefined for an empty slot */
export function progressOf(
  authority: OperatedAuthority | undefined,
  deps: ProgressDeps,
): AuthorityProgress | undefined {
  if (authority === undefined) return undefined
  const known = new Map<Bundle, InBundle>()
  const placeIn = (bundle: Bundle) => {
    const place = known.get(bundle) ?? findIn(bundle, authority, deps.kind)
    known.set(bundle, place)
    return place
  }
  const place = placeIn(deps.bundle)
  const behind = deps.followers.flatMap((follower) => {
    const handed = deps.lastHanded(follower.id)
    if (handed !== undefined && placeIn(handed.bundle) === place) return []
    return [{ follower, handedAt: handed?.at }]
  })
  return {
    authority,
    tainted: place === 'tainted',
    behind,
    uses: [...agentUses(authority, deps), ...deps.usesOf(authority.id)],
    unknownUntil: unknownUntil(authority, deps),
  }
}

/** @returns those of all slots */
export function progressOfAll(
  { prepared, active, old }: Slots<OperatedAuthority>,
  deps: ProgressDeps,
): { readonly [slot in 'prepared' | 'active' | 'old']: AuthorityProgress | undefined } {
  return {
    prepared: progressOf(prepared, deps),
    active: progressOf(active, deps),
    old: progressOf(old, deps),
  }
}

function findIn(
  bundle: Bundle,
  { id, upstream }: OperatedAuthority,
  kind: 'x509' | 'jwt',
): InBundle {
  // What upstream signed is vouched for by upstream's root.
  const published = upstream?.authorityId ?? id
  const found =
    kind === 'x509'
      ? bundle.x509Authorities.find(({ der }) => authorityIdOf(der) === published)
      : bundle.jwtAuthorities.find(({ keyId }) => keyId === published)
  if (found === undefined) return 'absent'
  return found.tainted ? 'tainted' : 'trusted'
}

function agentUses(authority: OperatedAuthority, deps: ProgressDeps): readonly Use[] {
  if (deps.kind === 'jwt') return []
  return deps.followers.flatMap(({ id, svid }) => {
    if (svid === undefined || svid.expiresAt <= deps.now) return []
    if (deps.authorityOfAgentSvid(svid.serialNumber) !== authority.id) return []
    return [{ kind: 'agent-svid', holder: id, count: 1, until: svid.expiresAt } as const]
  })
}

function unknownUntil(authority: OperatedAuthority, deps: ProgressDeps): Date | undefined {
  const until = deps.isMadeHere(authority.id)
    ? deps.forgottenUntil(authority.id)
    : authority.expiresAt
  return until !== undefined && until > deps.now ? until : undefined
}
