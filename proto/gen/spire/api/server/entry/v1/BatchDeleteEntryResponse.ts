// Original file: proto/spire/api/server/entry/v1/entry.proto

import type { StatusInput as _spire_api_types_StatusInput, Status as _spire_api_types_Status } from '../../../../../spire/api/types/Status.ts';

export interface _spire_api_server_entry_v1_BatchDeleteEntryResponse_ResultInput {
  'status'?: (_spire_api_types_StatusInput | null);
  'id'?: (string);
}

export interface _spire_api_server_entry_v1_BatchDeleteEntryResponse_Result {
  'status': (_spire_api_types_Status | null);
  'id': (string);
}

export interface BatchDeleteEntryResponseInput {
  'results'?: (_spire_api_server_entry_v1_BatchDeleteEntryResponse_ResultInput)[];
}

export interface BatchDeleteEntryResponse {
  'results': (_spire_api_server_entry_v1_BatchDeleteEntryResponse_Result)[];
}
