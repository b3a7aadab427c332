// Original file: proto/spire/api/server/bundle/v1/bundle.proto

import type { StatusInput as _spire_api_types_StatusInput, Status as _spire_api_types_Status } from '../../../../../spire/api/types/Status.ts';

export interface _spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse_ResultInput {
  'status'?: (_spire_api_types_StatusInput | null);
  'trust_domain'?: (string);
}

export interface _spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse_Result {
  'status': (_spire_api_types_Status | null);
  'trust_domain': (string);
}

export interface BatchDeleteFederatedBundleResponseInput {
  'results'?: (_spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse_ResultInput)[];
}

export interface BatchDeleteFederatedBundleResponse {
  'results': (_spire_api_server_bundle_v1_BatchDeleteFederatedBundleResponse_Result)[];
}
