/** `spire.api.server.agent.v1.Agent`, put together. */
import type { AgentHandlers } from '../../../proto/gen/spire/api/server/agent/v1/Agent.ts'
import type { Implementation } from '../../../proto/serve.ts'
import type { Caller } from '../../listen/caller.ts'
import type { RateLimits } from '../../listen/rate-limits.ts'
import { type AttestAgentDeps, attestAgent } from './attest-agent.ts'
import { type CreateJoinTokenDeps, createJoinToken } from './create-join-token.ts'
import { type PostStatusDeps, postStatus } from './post-status.ts'
import { type ReadAgentsDeps, readAgents } from './read-agents.ts'
import { type RemoveAgentsDeps, removeAgents } from './remove-agents.ts'
import { type RenewAgentDeps, renewAgent } from './renew-agent.ts'

export type AgentServiceDeps = Omit<AttestAgentDeps, 'limit'> &
  CreateJoinTokenDeps &
  Omit<PostStatusDeps, 'limit'> &
  ReadAgentsDeps &
  RemoveAgentsDeps &
  Omit<RenewAgentDeps, 'limit'> & {
    readonly limits: Pick<RateLimits, 'attestation' | 'signX509' | 'postStatus'>
  }

export function agentService(deps: AgentServiceDeps): Implementation<Caller, AgentHandlers> {
  const { limits } = deps
  return {
    ...readAgents(deps),
    ...removeAgents(deps),
    AttestAgent: (requests, call, send) =>
      attestAgent(requests, call, send, { ...deps, limit: limits.attestation }),
    RenewAgent: (request, call) => renewAgent(request, call, { ...deps, limit: limits.signX509 }),
    PostStatus: (request, call) => postStatus(request, call, { ...deps, limit: limits.postStatus }),
    CreateJoinToken: (request) => createJoinToken(request, deps),
  }
}
