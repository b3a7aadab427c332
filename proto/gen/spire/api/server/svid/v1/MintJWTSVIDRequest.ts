// Original file: proto/spire/api/server/svid/v1/svid.proto

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from '../../../../../spire/api/types/SPIFFEID.ts';

export interface MintJWTSVIDRequestInput {
  'id'?: (_spire_api_types_SPIFFEIDInput | null);
  'audience'?: (string)[];
  'ttl'?: (number);
}

export interface MintJWTSVIDRequest {
  'id': (_spire_api_types_SPIFFEID | null);
  'audience': (string)[];
  'ttl': (number);
}
