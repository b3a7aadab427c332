/**
 * CreateJoinToken: a token for one node, and, if wanted, the entry that gives that node an ID of the operator's
 * choosing. Everything is checked before anything is written.
 */
import type { CreateJoinTokenRequest } from '../../../proto/gen/spire/api/server/agent/v1/CreateJoinTokenRequest.ts'
import type { JoinTokenInput } from '../../../proto/gen/spire/api/types/JoinToken.ts'
import { type Clock, fromUnixSeconds, unixSeconds } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import { joinTokenAgentId } from '../../attest/join-token.ts'
import { joinTokenAlias } from '../../entries/entry.ts'
import { parseWorkloadId } from '../../entries/member-id.ts'
import type { EntryStore, JoinTokenStore } from '../../store/store.ts'
import { invalid, within, withinAsync } from '../refusal.ts'
import { idPartsOf } from '../wire-match.ts'

export interface CreateJoinTokenDeps {
  readonly trustDomain: TrustDomain
  readonly joinTokens: Pick<JoinTokenStore, 'create'>
  readonly entries: Pick<EntryStore, 'create'>
  readonly clock: Clock
  readonly randomUuid: () => string
}

export async function createJoinToken(
  { ttl, token: wanted, agent_id }: CreateJoinTokenRequest,
  { trustDomain, joinTokens, entries, clock, randomUuid }: CreateJoinTokenDeps,
): Promise<JoinTokenInput> {
  if (ttl < 1) throw invalid('ttl is required, you must provide one')
  const alias =
    agent_id === null
      ? undefined
      : within('invalid agent ID', () => parseWorkloadId(idPartsOf(agent_id), trustDomain))
  const token = wanted === '' ? randomUuid() : wanted
  const agentId = within('failed to create token', () => joinTokenAgentId(trustDomain, token))
  // Whole seconds: what the caller is told is what will be compared.
  const expiresAt = fromUnixSeconds(unixSeconds(clock.now()) + ttl)

  if (!(await joinTokens.create({ token, expiresAt }))) {
    throw new IdentityError('INTERNAL', 'failed to create token: this token exists already')
  }
  if (alias !== undefined) {
    await withinAsync('failed to create join token registration entry', () =>
      entries.create([joinTokenAlias(agentId, alias)]),
    )
  }
  return { value: token, expires_at: unixSeconds(expiresAt) }
}
