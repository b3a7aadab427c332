// Original file: proto/envoy/service/auth/v3/external_auth.proto

import type { AttributeContextInput as _envoy_service_auth_v3_AttributeContextInput, AttributeContext as _envoy_service_auth_v3_AttributeContext } from '../../../../envoy/service/auth/v3/AttributeContext.ts';

export interface CheckRequestInput {
  'attributes'?: (_envoy_service_auth_v3_AttributeContextInput | null);
}

export interface CheckRequest {
  'attributes': (_envoy_service_auth_v3_AttributeContext | null);
}
