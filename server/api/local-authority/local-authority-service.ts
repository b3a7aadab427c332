/**
 * `spire.api.server.localauthority.v1.LocalAuthority`: rotation by an operator's hand. There is no upstream authority
 * and there are no WIT-SVIDs; what concerns those is answered as SPIRE does without them.
 *
 * @see SPIRE behaviour §7 — forced rotation
 */
import type { AuthorityStateInput } from '../../../proto/gen/spire/api/server/localauthority/v1/AuthorityState.ts'
import type { LocalAuthorityHandlers } from '../../../proto/gen/spire/api/server/localauthority/v1/LocalAuthority.ts'
import type { Implementation } from '../../../proto/serve.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Authorities } from '../../ca/authorities.ts'
import type { Authority } from '../../ca/slots.ts'
import type { Caller } from '../../listen/caller.ts'
import { withinAsync } from '../refusal.ts'

/** What an operator may do with the authorities of one kind. */
export type OperatedAuthorities = Pick<
  Authorities<Authority>,
  'slots' | 'prepare' | 'activate' | 'taint' | 'revoke'
>

export interface LocalAuthorityServiceDeps {
  readonly authorities: {
    readonly x509: OperatedAuthorities
    /** Undefined while JWT-SVIDs are disabled. */
    readonly jwt: OperatedAuthorities | undefined
  }
}

export function localAuthorityService({
  authorities,
}: LocalAuthorityServiceDeps): Implementation<Caller, LocalAuthorityHandlers> {
  const { x509 } = authorities
  const jwt = () => {
    if (authorities.jwt !== undefined) return authorities.jwt
    throw new IdentityError('NOT_IMPLEMENTED', 'JWT functionality is disabled')
  }
  return {
    GetX509AuthorityState: async () => stateOf(x509),
    PrepareX509Authority: async () => ({ prepared_authority: await prepare(x509, 'X.509') }),
    ActivateX509Authority: async ({ authority_id }) => ({
      activated_authority: toState(await x509.activate(authority_id)),
    }),
    TaintX509Authority: async ({ authority_id }) => ({
      tainted_authority: toState(await x509.taint(authority_id)),
    }),
    RevokeX509Authority: async ({ authority_id }) => {
      await x509.revoke(authority_id)
      return { revoked_authority: { authority_id } }
    },
    TaintX509UpstreamAuthority: noUpstream,
    RevokeX509UpstreamAuthority: noUpstream,

    GetJWTAuthorityState: async () => stateOf(jwt()),
    PrepareJWTAuthority: async () => ({ prepared_authority: await prepare(jwt(), 'JWT') }),
    ActivateJWTAuthority: async ({ authority_id }) => ({
      activated_authority: toState(await jwt().activate(authority_id)),
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

function toState({ id, expiresAt }: Authority): AuthorityStateInput {
  return { authority_id: id, expires_at: unixSeconds(expiresAt) }
}

/** While nothing can sign, rotation makes the next authority by itself. */
function initializing(): IdentityError {
  return new IdentityError('UNAVAILABLE', 'server is initializing')
}

async function noUpstream(): Promise<never> {
  throw new IdentityError('PRECONDITION_FAILED', 'upstream authority is not configured')
}

async function noWit(): Promise<never> {
  throw new IdentityError('NOT_IMPLEMENTED', 'WIT-SVID functionality is not yet implemented')
}
