// Original file: proto/spire/api/server/entry/v1/entry.proto

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from '../../../../../spire/api/types/SPIFFEID.ts';
import type { SelectorMatchInput as _spire_api_types_SelectorMatchInput, SelectorMatch as _spire_api_types_SelectorMatch } from '../../../../../spire/api/types/SelectorMatch.ts';
import type { FederatesWithMatchInput as _spire_api_types_FederatesWithMatchInput, FederatesWithMatch as _spire_api_types_FederatesWithMatch } from '../../../../../spire/api/types/FederatesWithMatch.ts';
import type { StringValueInput as _google_protobuf_StringValueInput, StringValue as _google_protobuf_StringValue } from '../../../../../google/protobuf/StringValue.ts';
import type { BoolValueInput as _google_protobuf_BoolValueInput, BoolValue as _google_protobuf_BoolValue } from '../../../../../google/protobuf/BoolValue.ts';

export interface _spire_api_server_entry_v1_CountEntriesRequest_FilterInput {
  'by_spiffe_id'?: (_spire_api_types_SPIFFEIDInput | null);
  'by_parent_id'?: (_spire_api_types_SPIFFEIDInput | null);
  'by_selectors'?: (_spire_api_types_SelectorMatchInput | null);
  'by_federates_with'?: (_spire_api_types_FederatesWithMatchInput | null);
  'by_hint'?: (_google_protobuf_StringValueInput | null);
  'by_downstream'?: (_google_protobuf_BoolValueInput | null);
}

export interface _spire_api_server_entry_v1_CountEntriesRequest_Filter {
  'by_spiffe_id': (_spire_api_types_SPIFFEID | null);
  'by_parent_id': (_spire_api_types_SPIFFEID | null);
  'by_selectors': (_spire_api_types_SelectorMatch | null);
  'by_federates_with': (_spire_api_types_FederatesWithMatch | null);
  'by_hint': (_google_protobuf_StringValue | null);
  'by_downstream': (_google_protobuf_BoolValue | null);
}

export interface CountEntriesRequestInput {
  'filter'?: (_spire_api_server_entry_v1_CountEntriesRequest_FilterInput | null);
}

export interface CountEntriesRequest {
  'filter': (_spire_api_server_entry_v1_CountEntriesRequest_Filter | null);
}
