// Original file: proto/spire/api/server/localauthority/v1/localauthority.proto

import type { AuthorityStateInput as _spire_api_server_localauthority_v1_AuthorityStateInput, AuthorityState as _spire_api_server_localauthority_v1_AuthorityState } from '../../../../../spire/api/server/localauthority/v1/AuthorityState.ts';

export interface TaintX509AuthorityResponseInput {
  'tainted_authority'?: (_spire_api_server_localauthority_v1_AuthorityStateInput | null);
}

export interface TaintX509AuthorityResponse {
  'tainted_authority': (_spire_api_server_localauthority_v1_AuthorityState | null);
}
