// Original file: proto/spire/api/server/agent/v1/agent.proto

import type { AttestationDataInput as _spire_api_types_AttestationDataInput, AttestationData as _spire_api_types_AttestationData } from '../../../../../spire/api/types/AttestationData.ts';
import type { AgentX509SVIDParamsInput as _spire_api_server_agent_v1_AgentX509SVIDParamsInput, AgentX509SVIDParams as _spire_api_server_agent_v1_AgentX509SVIDParams } from '../../../../../spire/api/server/agent/v1/AgentX509SVIDParams.ts';

export interface _spire_api_server_agent_v1_AttestAgentRequest_ParamsInput {
  'data'?: (_spire_api_types_AttestationDataInput | null);
  'params'?: (_spire_api_server_agent_v1_AgentX509SVIDParamsInput | null);
}

export interface _spire_api_server_agent_v1_AttestAgentRequest_Params {
  'data': (_spire_api_types_AttestationData | null);
  'params': (_spire_api_server_agent_v1_AgentX509SVIDParams | null);
}

export interface AttestAgentRequestInput {
  'params'?: (_spire_api_server_agent_v1_AttestAgentRequest_ParamsInput | null);
  'challenge_response'?: (Buffer | Uint8Array | string);
  'step'?: "params"|"challenge_response";
}

export interface AttestAgentRequest {
  'params'?: (_spire_api_server_agent_v1_AttestAgentRequest_Params | null);
  'challenge_response'?: (Buffer);
  'step'?: "params"|"challenge_response";
}
