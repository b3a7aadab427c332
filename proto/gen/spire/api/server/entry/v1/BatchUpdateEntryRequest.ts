// Original file: proto/spire/api/server/entry/v1/entry.proto

import type { EntryInput as _spire_api_types_EntryInput, Entry as _spire_api_types_Entry } from '../../../../../spire/api/types/Entry.ts';
import type { EntryMaskInput as _spire_api_types_EntryMaskInput, EntryMask as _spire_api_types_EntryMask } from '../../../../../spire/api/types/EntryMask.ts';

export interface BatchUpdateEntryRequestInput {
  'entries'?: (_spire_api_types_EntryInput)[];
  'input_mask'?: (_spire_api_types_EntryMaskInput | null);
  'output_mask'?: (_spire_api_types_EntryMaskInput | null);
}

export interface BatchUpdateEntryRequest {
  'entries': (_spire_api_types_Entry)[];
  'input_mask': (_spire_api_types_EntryMask | null);
  'output_mask': (_spire_api_types_EntryMask | null);
}
