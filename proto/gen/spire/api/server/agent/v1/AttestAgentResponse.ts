// Original file: proto/spire/api/server/agent/v1/agent.proto

import type { X509SVIDInput as _spire_api_types_X509SVIDInput, X509SVID as _spire_api_types_X509SVID } from '../../../../../spire/api/types/X509SVID.ts';

export interface _spire_api_server_agent_v1_AttestAgentResponse_ResultInput {
  'svid'?: (_spire_api_types_X509SVIDInput | null);
  'reattestable'?: (boolean);
}

export interface _spire_api_server_agent_v1_AttestAgentResponse_Result {
  'svid': (_spire_api_types_X509SVID | null);
  'reattestable': (boolean);
}

export interface AttestAgentResponseInput {
  'result'?: (_spire_api_server_agent_v1_AttestAgentResponse_ResultInput | null);
  'challenge'?: (Buffer | Uint8Array | string);
  'step'?: "result"|"challenge";
}

export interface AttestAgentResponse {
  'result'?: (_spire_api_server_agent_v1_AttestAgentResponse_Result | null);
  'challenge'?: (Buffer);
  'step'?: "result"|"challenge";
}
