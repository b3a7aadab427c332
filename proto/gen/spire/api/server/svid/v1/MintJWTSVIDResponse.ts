// Original file: proto/spire/api/server/svid/v1/svid.proto

import type { JWTSVIDInput as _spire_api_types_JWTSVIDInput, JWTSVID as _spire_api_types_JWTSVID } from '../../../../../spire/api/types/JWTSVID.ts';

export interface MintJWTSVIDResponseInput {
  'svid'?: (_spire_api_types_JWTSVIDInput | null);
}

export interface MintJWTSVIDResponse {
  'svid': (_spire_api_types_JWTSVID | null);
}
