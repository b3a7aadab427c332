// Original file: proto/spire/api/server/svid/v1/svid.proto

import type { StatusInput as _spire_api_types_StatusInput, Status as _spire_api_types_Status } from '../../../../../spire/api/types/Status.ts';
import type { X509SVIDInput as _spire_api_types_X509SVIDInput, X509SVID as _spire_api_types_X509SVID } from '../../../../../spire/api/types/X509SVID.ts';

export interface _spire_api_server_svid_v1_BatchNewX509SVIDResponse_ResultInput {
  'status'?: (_spire_api_types_StatusInput | null);
  'svid'?: (_spire_api_types_X509SVIDInput | null);
}

export interface _spire_api_server_svid_v1_BatchNewX509SVIDResponse_Result {
  'status': (_spire_api_types_Status | null);
  'svid': (_spire_api_types_X509SVID | null);
}

export interface BatchNewX509SVIDResponseInput {
  'results'?: (_spire_api_server_svid_v1_BatchNewX509SVIDResponse_ResultInput)[];
}

export interface BatchNewX509SVIDResponse {
  'results': (_spire_api_server_svid_v1_BatchNewX509SVIDResponse_Result)[];
}
