// Original file: proto/spire/api/server/entry/v1/entry.proto

import type { StatusInput as _spire_api_types_StatusInput, Status as _spire_api_types_Status } from '../../../../../spire/api/types/Status.ts';
import type { EntryInput as _spire_api_types_EntryInput, Entry as _spire_api_types_Entry } from '../../../../../spire/api/types/Entry.ts';

export interface _spire_api_server_entry_v1_BatchCreateEntryResponse_ResultInput {
  'status'?: (_spire_api_types_StatusInput | null);
  'entry'?: (_spire_api_types_EntryInput | null);
}

export interface _spire_api_server_entry_v1_BatchCreateEntryResponse_Result {
  'status': (_spire_api_types_Status | null);
  'entry': (_spire_api_types_Entry | null);
}

export interface BatchCreateEntryResponseInput {
  'results'?: (_spire_api_server_entry_v1_BatchCreateEntryResponse_ResultInput)[];
}

export interface BatchCreateEntryResponse {
  'results': (_spire_api_server_entry_v1_BatchCreateEntryResponse_Result)[];
}
