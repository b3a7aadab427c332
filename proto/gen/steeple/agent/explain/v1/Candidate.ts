// Original file: proto/steeple/agent/explain/v1/explain.proto

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from '../../../../spire/api/types/SPIFFEID.ts';
import type { SelectorInput as _spire_api_types_SelectorInput, Selector as _spire_api_types_Selector } from '../../../../spire/api/types/Selector.ts';
import type { Long } from '@grpc/proto-loader';

export interface CandidateInput {
  'entry_id'?: (string);
  'spiffe_id'?: (_spire_api_types_SPIFFEIDInput | null);
  'selectors'?: (_spire_api_types_SelectorInput)[];
  'store_svid'?: (boolean);
  'has_svid'?: (boolean);
  'hint'?: (string);
  'created_at'?: (number | string | Long);
}

export interface Candidate {
  'entry_id': (string);
  'spiffe_id': (_spire_api_types_SPIFFEID | null);
  'selectors': (_spire_api_types_Selector)[];
  'store_svid': (boolean);
  'has_svid': (boolean);
  'hint': (string);
  'created_at': (number);
}
