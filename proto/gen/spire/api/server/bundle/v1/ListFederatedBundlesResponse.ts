// Original file: proto/spire/api/server/bundle/v1/bundle.proto

import type { BundleInput as _spire_api_types_BundleInput, Bundle as _spire_api_types_Bundle } from '../../../../../spire/api/types/Bundle.ts';

export interface ListFederatedBundlesResponseInput {
  'bundles'?: (_spire_api_types_BundleInput)[];
  'next_page_token'?: (string);
}

export interface ListFederatedBundlesResponse {
  'bundles': (_spire_api_types_Bundle)[];
  'next_page_token': (string);
}
