// Original file: proto/spire/api/server/svid/v1/svid.proto

import type { X509SVIDInput as _spire_api_types_X509SVIDInput, X509SVID as _spire_api_types_X509SVID } from '../../../../../spire/api/types/X509SVID.ts';

export interface MintX509SVIDResponseInput {
  'svid'?: (_spire_api_types_X509SVIDInput | null);
}

export interface MintX509SVIDResponse {
  'svid': (_spire_api_types_X509SVID | null);
}
