// Original file: proto/spire/api/server/entry/v1/entry.proto

import type { EntryMaskInput as _spire_api_types_EntryMaskInput, EntryMask as _spire_api_types_EntryMask } from '../../../../../spire/api/types/EntryMask.ts';

export interface GetAuthorizedEntriesRequestInput {
  'output_mask'?: (_spire_api_types_EntryMaskInput | null);
}

export interface GetAuthorizedEntriesRequest {
  'output_mask': (_spire_api_types_EntryMask | null);
}
