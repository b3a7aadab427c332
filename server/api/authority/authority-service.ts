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
import { type Follower, type OperatedAuthority, progressOfAll } from '../../issue/progress.ts'
import type { SigningLedger } from '../../issue/signing-ledger.ts'
import type { Caller } from '../../listen/caller.ts'
import type { HandedBundles } from '../../nodes/handed-bundles.ts'
import { eachPage } from '../../store/page.ts'
import type { EntryStore, NodeStore } from '../../store/store.ts'
import { invalid } from '../refusal.ts'
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
  readonly clock: Clock
}

export function authorityService(
  deps: AuthorityServiceDeps,
): Implementation<Caller, AuthorityHandlers> {
  const { rotations, ledger, handed, localBundle, clock } = deps
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
  }
}

function chosen(kind: Kind, { authorities: { x509, jwt } }: AuthorityServiceDeps) {
  if (kind === 'X509') return { kind: 'x509', authorities: x509 } as const
  if (kind !== 'JWT') throw invalid('the kind of authority must be X509 or JWT')
  if (jwt !== undefined) return { kind: 'jwt', authorities: jwt } as const
  throw new IdentityError('NOT_IMPLEMENTED', 'JWT functionality is disabled')
}

/** Agents that are admitted, and whoever may be a server below this one. */
async function followersOf({ nodes, entries }: AuthorityServiceDeps, now: Date) {
  const followers: Follower[] = []
  let expiredAgents = 0
  for await (const page of eachPage((request) => nodes.list({ banned: false }, request))) {
    for (const { id, serialNumber, expiresAt } of page) {
      if (expiresAt <= now) expiredAgents += 1
      else followers.push({ id, kind: 'agent', svid: { serialNumber, expiresAt } })
    }
  }
  const downstream = new Set<Follower['id']>()
  for await (const page of eachPage((request) => entries.list({ downstream: true }, request))) {
    for (const { spiffeId } of page) downstream.add(spiffeId)
  }
  for (const id of downstream) followers.push({ id, kind: 'downstream' })
  return { followers, expiredAgents }
}
