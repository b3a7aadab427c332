// Original file: proto/spire/api/types/x509svid.proto

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from '../../../spire/api/types/SPIFFEID.ts';
import type { Long } from '@grpc/proto-loader';

export interface X509SVIDInput {
  'cert_chain'?: (Buffer | Uint8Array | string)[];
  'id'?: (_spire_api_types_SPIFFEIDInput | null);
  'expires_at'?: (number | string | Long);
  'hint'?: (string);
}

export interface X509SVID {
  'cert_chain': (Buffer)[];
  'id': (_spire_api_types_SPIFFEID | null);
  'expires_at': (number);
  'hint': (string);
}
