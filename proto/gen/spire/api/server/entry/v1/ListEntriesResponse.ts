// Original file: proto/spire/api/server/entry/v1/entry.proto

import type { EntryInput as _spire_api_types_EntryInput, Entry as _spire_api_types_Entry } from '../../../../../spire/api/types/Entry.ts';

export interface ListEntriesResponseInput {
  'entries'?: (_spire_api_types_EntryInput)[];
  'next_page_token'?: (string);
}

export interface ListEntriesResponse {
  'entries': (_spire_api_types_Entry)[];
  'next_page_token': (string);
}
