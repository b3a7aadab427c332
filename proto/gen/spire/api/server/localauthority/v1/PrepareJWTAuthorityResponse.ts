// Original file: proto/spire/api/server/localauthority/v1/localauthority.proto

import type { AuthorityStateInput as _spire_api_server_localauthority_v1_AuthorityStateInput, AuthorityState as _spire_api_server_localauthority_v1_AuthorityState } from '../../../../../spire/api/server/localauthority/v1/AuthorityState.ts';

export interface PrepareJWTAuthorityResponseInput {
  'prepared_authority'?: (_spire_api_server_localauthority_v1_AuthorityStateInput | null);
}

export interface PrepareJWTAuthorityResponse {
  'prepared_authority': (_spire_api_server_localauthority_v1_AuthorityState | null);
}
