// Original file: proto/spire/api/server/svid/v1/svid.proto

import type { StatusInput as _spire_api_types_StatusInput, Status as _spire_api_types_Status } from '../../../../../spire/api/types/Status.ts';
import type { WITSVIDInput as _spire_api_types_WITSVIDInput, WITSVID as _spire_api_types_WITSVID } from '../../../../../spire/api/types/WITSVID.ts';

export interface _spire_api_server_svid_v1_BatchNewWITSVIDResponse_ResultInput {
  'status'?: (_spire_api_types_StatusInput | null);
  'svid'?: (_spire_api_types_WITSVIDInput | null);
}

export interface _spire_api_server_svid_v1_BatchNewWITSVIDResponse_Result {
  'status': (_spire_api_types_Status | null);
  'svid': (_spire_api_types_WITSVID | null);
}

export interface BatchNewWITSVIDResponseInput {
  'results'?: (_spire_api_server_svid_v1_BatchNewWITSVIDResponse_ResultInput)[];
}

export interface BatchNewWITSVIDResponse {
  'results': (_spire_api_server_svid_v1_BatchNewWITSVIDResponse_Result)[];
}
