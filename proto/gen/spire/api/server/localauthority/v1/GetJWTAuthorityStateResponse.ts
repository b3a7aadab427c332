// Original file: proto/spire/api/server/localauthority/v1/localauthority.proto

import type { AuthorityStateInput as _spire_api_server_localauthority_v1_AuthorityStateInput, AuthorityState as _spire_api_server_localauthority_v1_AuthorityState } from '../../../../../spire/api/server/localauthority/v1/AuthorityState.ts';

export interface GetJWTAuthorityStateResponseInput {
  'active'?: (_spire_api_server_localauthority_v1_AuthorityStateInput | null);
  'prepared'?: (_spire_api_server_localauthority_v1_AuthorityStateInput | null);
  'old'?: (_spire_api_server_localauthority_v1_AuthorityStateInput | null);
}

export interface GetJWTAuthorityStateResponse {
  'active': (_spire_api_server_localauthority_v1_AuthorityState | null);
  'prepared': (_spire_api_server_localauthority_v1_AuthorityState | null);
  'old': (_spire_api_server_localauthority_v1_AuthorityState | null);
}
