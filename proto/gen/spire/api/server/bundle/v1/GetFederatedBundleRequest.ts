// Original file: proto/spire/api/server/bundle/v1/bundle.proto

import type { BundleMaskInput as _spire_api_types_BundleMaskInput, BundleMask as _spire_api_types_BundleMask } from '../../../../../spire/api/types/BundleMask.ts';

export interface GetFederatedBundleRequestInput {
  'trust_domain'?: (string);
  'output_mask'?: (_spire_api_types_BundleMaskInput | null);
}

export interface GetFederatedBundleRequest {
  'trust_domain': (string);
  'output_mask': (_spire_api_types_BundleMask | null);
}
