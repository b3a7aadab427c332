// Original file: proto/spire/api/server/agent/v1/agent.proto

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from '../../../../../spire/api/types/SPIFFEID.ts';

export interface DeleteAgentRequestInput {
  'id'?: (_spire_api_types_SPIFFEIDInput | null);
}

export interface DeleteAgentRequest {
  'id': (_spire_api_types_SPIFFEID | null);
}
