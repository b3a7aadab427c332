// Original file: proto/spire/api/server/bundle/v1/bundle.proto

import type { BundleInput as _spire_api_types_BundleInput, Bundle as _spire_api_types_Bundle } from '../../../../../spire/api/types/Bundle.ts';
import type { BundleMaskInput as _spire_api_types_BundleMaskInput, BundleMask as _spire_api_types_BundleMask } from '../../../../../spire/api/types/BundleMask.ts';

export interface BatchCreateFederatedBundleRequestInput {
  'bundle'?: (_spire_api_types_BundleInput)[];
  'output_mask'?: (_spire_api_types_BundleMaskInput | null);
}

export interface BatchCreateFederatedBundleRequest {
  'bundle': (_spire_api_types_Bundle)[];
  'output_mask': (_spire_api_types_BundleMask | null);
}
