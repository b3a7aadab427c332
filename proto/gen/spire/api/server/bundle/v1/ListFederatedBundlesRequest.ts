// Original file: proto/spire/api/server/bundle/v1/bundle.proto

import type { BundleMaskInput as _spire_api_types_BundleMaskInput, BundleMask as _spire_api_types_BundleMask } from '../../../../../spire/api/types/BundleMask.ts';

export interface ListFederatedBundlesRequestInput {
  'output_mask'?: (_spire_api_types_BundleMaskInput | null);
  'page_size'?: (number);
  'page_token'?: (string);
}

export interface ListFederatedBundlesRequest {
  'output_mask': (_spire_api_types_BundleMask | null);
  'page_size': (number);
  'page_token': (string);
}
