/**
 * `spire.api.server.localauthority.v1.LocalAuthority`: rotation by an operator's hand. There are no WIT-SVIDs;
 * what concerns those is answered as SPIRE does without them.
 *
 * @see SPIRE behaviour §7 — forced rotation
 */
import type { AuthorityStateInput } from '../../../proto/gen/spire/api/server/localauthority/v1/AuthorityState.ts'
import type { LocalAuthorityHandlers } from '../../../proto/gen/spire/api/server/localauthority/v1/LocalAuthority.ts'
import type { Implementation } from '../../../proto/serve.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Authorities } from '../../ca/authorities.ts'
import type { RotationMemory } from '../../ca/rotation-memory.ts'
import type { Authority } from '../../ca/slots.ts'
import type { UpstreamLink } from '../../ca/x509-ca.ts'
import type { Caller } from '../../listen/caller.ts'
import { withinAsync } from '../refusal.ts'

/** What an operator may do with the authorities of one kind. */
export type OperatedAuthorities = Pick<
  Authorities<Authority & { readonly upstream?: UpstreamLink | undefined }>,
  'slots' | 'prepare' | 'activate' | 'taint' | 'revoke'
>

/** What an operator may do with roots above our authorities. */
export interface OperatedUpstream {
  /** @throws IdentityError REQUEST_INVALID, INTERNAL */
  taint(subjectKeyId: string): Promise<void>
  /** @throws IdentityError REQUEST_INVALID, INTERNAL */
  revoke(subjectKeyId: string): Promise<void>
}

export interface LocalAuthorityServiceDeps {
  readonly authorities: {
    readonly x509: OperatedAuthorities
    /** Undefined while JWT-SVIDs are disabled. */
    readonly jwt: OperatedAuthorities | undefined
  }
  /** Undefined: authorities sign themselves. */
  readonly upstreamRoots: OperatedUpstream | undefined
  /** Remembers that it was an operator. */
  readonly rotations: Pick<RotationMemory, 'noteByHand'>
}

export function localAuthorityService({
  authorities,
  upstreamRoots,
  rotations,
}: LocalAuthorityServiceDeps): Implementation<Caller, LocalAuthorityHandlers> {
  const { x509 } = authorities
  const jwt = () => {
    if (authorities.jwt !== undefined) return authorities.jwt
    throw new IdentityError('NOT_IMPLEMENTED', 'JWT functionality is disabled')
  }
  const activate = async (operated: OperatedAuthorities, id: string) => {
    const activated = await operated.activate(id)
    rotations.noteByHand(activated.id)
    return activated
  }
  return {
    GetX509AuthorityState: async () => stateOf(x509),
    PrepareX509Authority: async () => ({ prepared_authority: await prepare(x509, 'X.509') }),
    ActivateX509Authority: async ({ authority_id }) => ({
      activated_authority: toState(await activate(x509, authority_id)),
    }),
    TaintX509Authority: async ({ authority_id }) => {
      if (upstreamRoots !== undefined) throw belowUpstream('tainted')
      return { tainted_authority: toState(await x509.taint(authority_id)) }
    },
    RevokeX509Authority: async ({ authority_id }) => {
      if (upstreamRoots !== undefined) throw belowUpstream('revoked')
      await x509.revoke(authority_id)
      return { revoked_authority: { authority_id } }
    },
    TaintX509UpstreamAuthority: async ({ subject_key_id }) => {
      if (upstreamRoots === undefined) throw noUpstream()
      await upstreamRoots.taint(subject_key_id)
      return { upstream_authority_subject_key_id: subject_key_id }
    },
    RevokeX509UpstreamAuthority: async ({ subject_key_id }) => {
      if (upstreamRoots === undefined) throw noUpstream()
      await upstreamRoots.revoke(subject_key_id)
      return { upstream_authority_subject_key_id: subject_key_id }
    },

    GetJWTAuthorityState: async () => stateOf(jwt()),
    PrepareJWTAuthority: async () => ({ prepared_authority: await prepare(jwt(), 'JWT') }),
    ActivateJWTAuthority: async ({ authority_id }) => ({
      activated_authority: toState(await activate(jwt(), authority_id)),
    }),
    TaintJWTAuthority: async ({ authority_id }) => {
      await jwt().taint(authority_id)
      return { tainted_authority: { authority_id } }
    },
    RevokeJWTAuthority: async ({ authority_id }) => {
      await jwt().revoke(authority_id)
      return { revoked_authority: { authority_id } }
    },

    GetWITAuthorityState: noWit,
    PrepareWITAuthority: noWit,
    ActivateWITAuthority: noWit,
    TaintWITAuthority: noWit,
    RevokeWITAuthority: noWit,
  }
}

function stateOf(authorities: OperatedAuthorities) {
  const { active, prepared, old } = authorities.slots()
  if (active === undefined) throw initializing()
  return {
    active: toState(active),
    prepared: prepared === undefined ? null : toState(prepared),
    old: old === undefined ? null : toState(old),
  }
}

async function prepare(
  authorities: OperatedAuthorities,
  kind: 'X.509' | 'JWT',
): Promise<AuthorityStateInput> {
  if (authorities.slots().active === undefined) throw initializing()
  const prepared = await withinAsync(
    `failed to prepare ${kind} authority`,
    () => authorities.prepare(),
    'INTERNAL',
  )
  return toState(prepared)
}

function toState({
  id,
  expiresAt,
  upstream,
}: Authority & { readonly upstream?: UpstreamLink | undefined }): AuthorityStateInput {
  return {
    authority_id: id,
    expires_at: unixSeconds(expiresAt),
    upstream_authority_subject_key_id: upstream?.authorityId ?? '',
  }
}

/** While nothing can sign, rotation makes the next authority by itself. */
function initializing(): IdentityError {
  return new IdentityError('UNAVAILABLE', 'server is initializing')
}

function noUpstream(): IdentityError {
  return new IdentityError('PRECONDITION_FAILED', 'upstream authority is not configured')
}

/** What vouches for our authorities is above them. */
function belowUpstream(done: 'tainted' | 'revoked'): IdentityError {
  return new IdentityError(
    'PRECONDITION_FAILED',
    `local authority can't be ${done} if there is an upstream authority`,
  )
}

async function noWit(): Promise<never> {
  throw new IdentityError('NOT_IMPLEMENTED', 'WIT-SVID functionality is not yet implemented')
}
