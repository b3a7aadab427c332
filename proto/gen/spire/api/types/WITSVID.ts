// Original file: proto/spire/api/types/witsvid.proto

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from '../../../spire/api/types/SPIFFEID.ts';
import type { Long } from '@grpc/proto-loader';

export interface WITSVIDInput {
  'token'?: (string);
  'id'?: (_spire_api_types_SPIFFEIDInput | null);
  'expires_at'?: (number | string | Long);
  'issued_at'?: (number | string | Long);
  'hint'?: (string);
}

export interface WITSVID {
  'token': (string);
  'id': (_spire_api_types_SPIFFEID | null);
  'expires_at': (number);
  'issued_at': (number);
  'hint': (string);
}
