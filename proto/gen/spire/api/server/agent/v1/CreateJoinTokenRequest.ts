// Original file: proto/spire/api/server/agent/v1/agent.proto

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from '../../../../../spire/api/types/SPIFFEID.ts';

export interface CreateJoinTokenRequestInput {
  'ttl'?: (number);
  'token'?: (string);
  'agent_id'?: (_spire_api_types_SPIFFEIDInput | null);
}

export interface CreateJoinTokenRequest {
  'ttl': (number);
  'token': (string);
  'agent_id': (_spire_api_types_SPIFFEID | null);
}
