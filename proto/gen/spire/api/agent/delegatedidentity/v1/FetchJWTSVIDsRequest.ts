// Original file: proto/spire/api/agent/delegatedidentity/v1/delegated_identity.proto

import type { SelectorInput as _spire_api_types_SelectorInput, Selector as _spire_api_types_Selector } from '../../../../../spire/api/types/Selector.ts';

export interface FetchJWTSVIDsRequestInput {
  'audience'?: (string)[];
  'selectors'?: (_spire_api_types_SelectorInput)[];
  'pid'?: (number);
}

export interface FetchJWTSVIDsRequest {
  'audience': (string)[];
  'selectors': (_spire_api_types_Selector)[];
  'pid': (number);
}
