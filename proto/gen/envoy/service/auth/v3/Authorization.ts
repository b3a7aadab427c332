// Original file: proto/envoy/service/auth/v3/external_auth.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CheckRequestInput as _envoy_service_auth_v3_CheckRequestInput, CheckRequest as _envoy_service_auth_v3_CheckRequest } from '../../../../envoy/service/auth/v3/CheckRequest.ts';
import type { CheckResponseInput as _envoy_service_auth_v3_CheckResponseInput, CheckResponse as _envoy_service_auth_v3_CheckResponse } from '../../../../envoy/service/auth/v3/CheckResponse.ts';

export interface AuthorizationClient extends grpc.Client {
  Check(argument: _envoy_service_auth_v3_CheckRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_envoy_service_auth_v3_CheckResponse>): grpc.ClientUnaryCall;
  Check(argument: _envoy_service_auth_v3_CheckRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_envoy_service_auth_v3_CheckResponse>): grpc.ClientUnaryCall;
  Check(argument: _envoy_service_auth_v3_CheckRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_envoy_service_auth_v3_CheckResponse>): grpc.ClientUnaryCall;
  Check(argument: _envoy_service_auth_v3_CheckRequestInput, callback: grpc.requestCallback<_envoy_service_auth_v3_CheckResponse>): grpc.ClientUnaryCall;
  check(argument: _envoy_service_auth_v3_CheckRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_envoy_service_auth_v3_CheckResponse>): grpc.ClientUnaryCall;
  check(argument: _envoy_service_auth_v3_CheckRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_envoy_service_auth_v3_CheckResponse>): grpc.ClientUnaryCall;
  check(argument: _envoy_service_auth_v3_CheckRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_envoy_service_auth_v3_CheckResponse>): grpc.ClientUnaryCall;
  check(argument: _envoy_service_auth_v3_CheckRequestInput, callback: grpc.requestCallback<_envoy_service_auth_v3_CheckResponse>): grpc.ClientUnaryCall;
  
}

export interface AuthorizationHandlers extends grpc.UntypedServiceImplementation {
  Check: grpc.handleUnaryCall<_envoy_service_auth_v3_CheckRequest, _envoy_service_auth_v3_CheckResponseInput>;
  
}

export interface AuthorizationDefinition extends grpc.ServiceDefinition {
  Check: MethodDefinition<_envoy_service_auth_v3_CheckRequestInput, _envoy_service_auth_v3_CheckResponseInput, _envoy_service_auth_v3_CheckRequest, _envoy_service_auth_v3_CheckResponse>
}
