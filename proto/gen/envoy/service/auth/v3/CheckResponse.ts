// Original file: proto/envoy/service/auth/v3/external_auth.proto

import type { StatusInput as _google_rpc_StatusInput, Status as _google_rpc_Status } from '../../../../google/rpc/Status.ts';
import type { DeniedHttpResponseInput as _envoy_service_auth_v3_DeniedHttpResponseInput, DeniedHttpResponse as _envoy_service_auth_v3_DeniedHttpResponse } from '../../../../envoy/service/auth/v3/DeniedHttpResponse.ts';
import type { OkHttpResponseInput as _envoy_service_auth_v3_OkHttpResponseInput, OkHttpResponse as _envoy_service_auth_v3_OkHttpResponse } from '../../../../envoy/service/auth/v3/OkHttpResponse.ts';

export interface CheckResponseInput {
  'status'?: (_google_rpc_StatusInput | null);
  'denied_response'?: (_envoy_service_auth_v3_DeniedHttpResponseInput | null);
  'ok_response'?: (_envoy_service_auth_v3_OkHttpResponseInput | null);
  'http_response'?: "denied_response"|"ok_response";
}

export interface CheckResponse {
  'status': (_google_rpc_Status | null);
  'denied_response'?: (_envoy_service_auth_v3_DeniedHttpResponse | null);
  'ok_response'?: (_envoy_service_auth_v3_OkHttpResponse | null);
  'http_response'?: "denied_response"|"ok_response";
}
