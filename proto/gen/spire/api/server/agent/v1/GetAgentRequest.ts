// Original file: proto/spire/api/server/agent/v1/agent.proto

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from '../../../../../spire/api/types/SPIFFEID.ts';
import type { AgentMaskInput as _spire_api_types_AgentMaskInput, AgentMask as _spire_api_types_AgentMask } from '../../../../../spire/api/types/AgentMask.ts';

export interface GetAgentRequestInput {
  'id'?: (_spire_api_types_SPIFFEIDInput | null);
  'output_mask'?: (_spire_api_types_AgentMaskInput | null);
}

export interface GetAgentRequest {
  'id': (_spire_api_types_SPIFFEID | null);
  'output_mask': (_spire_api_types_AgentMask | null);
}
