// Original file: proto/spire/api/server/agent/v1/agent.proto

import type { AgentInput as _spire_api_types_AgentInput, Agent as _spire_api_types_Agent } from '../../../../../spire/api/types/Agent.ts';

export interface ListAgentsResponseInput {
  'agents'?: (_spire_api_types_AgentInput)[];
  'next_page_token'?: (string);
}

export interface ListAgentsResponse {
  'agents': (_spire_api_types_Agent)[];
  'next_page_token': (string);
}
