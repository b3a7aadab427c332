// Original file: proto/spire/api/server/entry/v1/entry.proto

import type { EntryRevisionInput as _spire_api_server_entry_v1_EntryRevisionInput, EntryRevision as _spire_api_server_entry_v1_EntryRevision } from '../../../../../spire/api/server/entry/v1/EntryRevision.ts';
import type { EntryInput as _spire_api_types_EntryInput, Entry as _spire_api_types_Entry } from '../../../../../spire/api/types/Entry.ts';

export interface SyncAuthorizedEntriesResponseInput {
  'entry_revisions'?: (_spire_api_server_entry_v1_EntryRevisionInput)[];
  'entries'?: (_spire_api_types_EntryInput)[];
  'more'?: (boolean);
}

export interface SyncAuthorizedEntriesResponse {
  'entry_revisions': (_spire_api_server_entry_v1_EntryRevision)[];
  'entries': (_spire_api_types_Entry)[];
  'more': (boolean);
}
