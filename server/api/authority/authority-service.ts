/**
 * `steeple.server.authority.v1.Authority`: what guided rotation has to know, and the one step that SPIRE's API lacks.
 *
 * @see proto/steeple/server/authority/v1/authority.proto
 */
import type { AuthorityHandlers } from '../../../proto/gen/steeple/server/authority/v1/Authority.ts'
import type { Kind } from '../../../proto/gen/steeple/server/authority/v1/Kind.ts'
import type { Implementation } from '../../../proto/serve.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Authorities } from '../../ca/authorities.ts'
import type { RotationMemory } from '../../ca/rotation-memory.ts'
import { type OperatedAuthority, progressOfAll } from '../../issue/progress.ts'
import type { SigningLedger } from '../../issue/signing-ledger.ts'
import type { Caller } from '../../listen/caller.ts'
import type { HandedBundles } from '../../nodes/handed-bundles.ts'
import { followersOf } from '../../servers/followers.ts'
import type { RotationQuestion, TrustDomainServers } from '../../servers/servers.ts'
import type { EntryStore, NodeStore } from '../../store/store.ts'
import { invalid } from '../refusal.ts'
import { toWireOverview, toWireServer } from './wire-servers.ts'
import { toWireActivation, toWireStanding } from './wire-standing.ts'

type Operated = Pick<Authorities<OperatedAuthority>, 'slots' | 'discard'>

export interface AuthorityServiceDeps {
  readonly authorities: {
    readonly x509: Operated
    /** Undefined while JWT-SVIDs are disabled. */
    readonly jwt: Operated | undefined
  }
  readonly upstreamRoots: object | undefined
  readonly rotations: Pick<RotationMemory, 'isMadeHere' | 'activationOf'>
  readonly ledger: Pick<SigningLedger, 'usesOf' | 'forgottenUntil' | 'authorityOfAgentSvid'>
  readonly handed: Pick<HandedBundles, 'lastOf'>
  readonly localBundle: { current(): Bundle }
  readonly nodes: Pick<NodeStore, 'list'>
  readonly entries: Pick<EntryStore, 'list'>
  readonly servers: TrustDomainServers
  readonly clock: Clock
}

export function authorityService(
  deps: AuthorityServiceDeps,
): Implementation<Caller, AuthorityHandlers> {
  const { rotations, ledger, handed, localBundle, servers, clock } = deps
  return {
    async GetProgress({ kind: wire }) {
      const { kind, authorities } = chosen(wire, deps)
      const slots = authorities.slots()
      const now = clock.now()
      const { followers, expiredAgents } = await followersOf(deps, now)
      const { prepared, active, old } = progressOfAll(slots, {
        ...{ kind, bundle: localBundle.current(), followers, now },
        ...ledger,
        lastHanded: handed.lastOf,
        isMadeHere: rotations.isMadeHere,
      })
      return {
        prepared: toWireStanding(prepared),
        active: toWireStanding(active),
        old: toWireStanding(old),
        has_upstream: kind === 'x509' && deps.upstreamRoots !== undefined,
        activation:
          slots.active === undefined
            ? 'UNKNOWN'
            : toWireActivation(rotations.activationOf(slots.active.id)),
        follower_count: followers.length,
        expired_agent_count: expiredAgents,
      }
    },

    async DiscardPrepared({ kind, authority_id }) {
      const { id } = await chosen(kind, deps).authorities.discard(authority_id)
      return { authority_id: id }
    },

    ListServers: async () => ({ servers: (await servers.list()).map(toWireServer) }),

    async GetOverview({ kind: wire }) {
      const { kind } = chosen(wire, deps)
      const hasUpstream = kind === 'x509' && deps.upstreamRoots !== undefined
      return toWireOverview(await servers.overview(kind), hasUpstream)
    },

    async TakeStep({ kind: wire, step, server_key, authority_id: id, left_out }) {
      const { kind } = chosen(wire, deps)
      const taken = async (question: RotationQuestion) => ({
        authority_id: await servers.askFor(server_key, question),
      })
      switch (step) {
        case 'PREPARE':
          return await taken({ ask: 'prepare', kind, active: id })
        case 'ACTIVATE':
          return await taken({ ask: 'activate', kind, id })
        case 'DISCARD':
          return await taken({ ask: 'discard', kind, id })
        case 'TAINT':
        case 'REVOKE':
          await servers.retire(step === 'TAINT' ? 'taint' : 'revoke', kind, id, left_out)
          return { authority_id: id }
        case 'STEP_UNSPECIFIED':
          throw invalid('the step must be one of PREPARE, ACTIVATE, TAINT, REVOKE and DISCARD')
        default:
          return step satisfies never
      }
    },

    async ForgetServer({ server_key }) {
      await servers.forget(server_key)
      return {}
    },
  }
}

function chosen(kind: Kind, { authorities: { x509, jwt } }: AuthorityServiceDeps) {
  if (kind === 'X509') return { kind: 'x509', authorities: x509 } as const
  if (kind !== 'JWT') throw invalid('the kind of authority must be X509 or JWT')
  if (jwt !== undefined) return { kind: 'jwt', authorities: jwt } as const
  throw new IdentityError('NOT_IMPLEMENTED', 'JWT functionality is disabled')
}
