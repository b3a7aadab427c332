// Original file: proto/spire/api/server/entry/v1/entry.proto

import type { EntryMaskInput as _spire_api_types_EntryMaskInput, EntryMask as _spire_api_types_EntryMask } from '../../../../../spire/api/types/EntryMask.ts';

export interface SyncAuthorizedEntriesRequestInput {
  'output_mask'?: (_spire_api_types_EntryMaskInput | null);
  'ids'?: (string)[];
}

export interface SyncAuthorizedEntriesRequest {
  'output_mask': (_spire_api_types_EntryMask | null);
  'ids': (string)[];
}
