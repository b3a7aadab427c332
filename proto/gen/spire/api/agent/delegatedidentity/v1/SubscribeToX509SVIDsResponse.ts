// Original file: proto/spire/api/agent/delegatedidentity/v1/delegated_identity.proto

import type { X509SVIDWithKeyInput as _spire_api_agent_delegatedidentity_v1_X509SVIDWithKeyInput, X509SVIDWithKey as _spire_api_agent_delegatedidentity_v1_X509SVIDWithKey } from '../../../../../spire/api/agent/delegatedidentity/v1/X509SVIDWithKey.ts';

export interface SubscribeToX509SVIDsResponseInput {
  'x509_svids'?: (_spire_api_agent_delegatedidentity_v1_X509SVIDWithKeyInput)[];
  'federates_with'?: (string)[];
}

export interface SubscribeToX509SVIDsResponse {
  'x509_svids': (_spire_api_agent_delegatedidentity_v1_X509SVIDWithKey)[];
  'federates_with': (string)[];
}
