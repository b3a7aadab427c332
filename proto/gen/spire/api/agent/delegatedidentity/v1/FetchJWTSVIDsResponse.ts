// Original file: proto/spire/api/agent/delegatedidentity/v1/delegated_identity.proto

import type { JWTSVIDInput as _spire_api_types_JWTSVIDInput, JWTSVID as _spire_api_types_JWTSVID } from '../../../../../spire/api/types/JWTSVID.ts';

export interface FetchJWTSVIDsResponseInput {
  'svids'?: (_spire_api_types_JWTSVIDInput)[];
}

export interface FetchJWTSVIDsResponse {
  'svids': (_spire_api_types_JWTSVID)[];
}
