// Original file: proto/spire/api/server/svid/v1/svid.proto

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from '../../../../../spire/api/types/SPIFFEID.ts';

export interface MintWITSVIDRequestInput {
  'id'?: (_spire_api_types_SPIFFEIDInput | null);
  'public_key'?: (Buffer | Uint8Array | string);
  'ttl'?: (number);
  'signing_algorithm'?: (string);
}

export interface MintWITSVIDRequest {
  'id': (_spire_api_types_SPIFFEID | null);
  'public_key': (Buffer);
  'ttl': (number);
  'signing_algorithm': (string);
}
