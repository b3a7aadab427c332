// Original file: proto/spire/api/server/bundle/v1/bundle.proto

import type { StatusInput as _spire_api_types_StatusInput, Status as _spire_api_types_Status } from '../../../../../spire/api/types/Status.ts';
import type { BundleInput as _spire_api_types_BundleInput, Bundle as _spire_api_types_Bundle } from '../../../../../spire/api/types/Bundle.ts';

export interface _spire_api_server_bundle_v1_BatchSetFederatedBundleResponse_ResultInput {
  'status'?: (_spire_api_types_StatusInput | null);
  'bundle'?: (_spire_api_types_BundleInput | null);
}

export interface _spire_api_server_bundle_v1_BatchSetFederatedBundleResponse_Result {
  'status': (_spire_api_types_Status | null);
  'bundle': (_spire_api_types_Bundle | null);
}

export interface BatchSetFederatedBundleResponseInput {
  'results'?: (_spire_api_server_bundle_v1_BatchSetFederatedBundleResponse_ResultInput)[];
}

export interface BatchSetFederatedBundleResponse {
  'results': (_spire_api_server_bundle_v1_BatchSetFederatedBundleResponse_Result)[];
}
