// Original file: proto/spire/api/server/agent/v1/agent.proto

import type { X509SVIDInput as _spire_api_types_X509SVIDInput, X509SVID as _spire_api_types_X509SVID } from '../../../../../spire/api/types/X509SVID.ts';

export interface RenewAgentResponseInput {
  'svid'?: (_spire_api_types_X509SVIDInput | null);
}

export interface RenewAgentResponse {
  'svid': (_spire_api_types_X509SVID | null);
}
