/** PostStatus: an agent says which version it runs. */
import type { PostStatusRequest } from '../../../proto/gen/spire/api/server/agent/v1/PostStatusRequest.ts'
import type { PostStatusResponseInput } from '../../../proto/gen/spire/api/server/agent/v1/PostStatusResponse.ts'
import type { Call } from '../../../proto/serve.ts'
import type { Caller } from '../../listen/caller.ts'
import type { Limit } from '../../listen/rate-limits.ts'
import type { NodeStore } from '../../store/store.ts'
import { agentIdOf } from '../agent-caller.ts'
import { invalid, notFound, withinAsync } from '../refusal.ts'

const MAX_VERSION_BYTES = 255

export interface PostStatusDeps {
  readonly nodes: Pick<NodeStore, 'setAgentVersion'>
  readonly limit: Limit
}

export async function postStatus(
  { agent_version }: PostStatusRequest,
  call: Call<Caller>,
  { nodes, limit }: PostStatusDeps,
): Promise<PostStatusResponseInput> {
  await withinAsync('rejecting request due to post status rate limiting', () => limit(call, 1))
  if (agent_version === '') return {}
  if (Buffer.byteLength(agent_version) > MAX_VERSION_BYTES) {
    throw invalid(`agent version is too long (max ${MAX_VERSION_BYTES} characters)`)
  }
  if (!(await nodes.setAgentVersion(agentIdOf(call.caller), agent_version))) {
    throw notFound('agent not found')
  }
  return {}
}
