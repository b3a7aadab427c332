// Original file: proto/steeple/server/federation/v1/federation.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetStandingRequestInput as _steeple_server_federation_v1_GetStandingRequestInput, GetStandingRequest as _steeple_server_federation_v1_GetStandingRequest } from '../../../../steeple/server/federation/v1/GetStandingRequest.ts';
import type { GetStandingResponseInput as _steeple_server_federation_v1_GetStandingResponseInput, GetStandingResponse as _steeple_server_federation_v1_GetStandingResponse } from '../../../../steeple/server/federation/v1/GetStandingResponse.ts';

export interface FederationClient extends grpc.Client {
  GetStanding(argument: _steeple_server_federation_v1_GetStandingRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_federation_v1_GetStandingResponse>): grpc.ClientUnaryCall;
  GetStanding(argument: _steeple_server_federation_v1_GetStandingRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_federation_v1_GetStandingResponse>): grpc.ClientUnaryCall;
  GetStanding(argument: _steeple_server_federation_v1_GetStandingRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_federation_v1_GetStandingResponse>): grpc.ClientUnaryCall;
  GetStanding(argument: _steeple_server_federation_v1_GetStandingRequestInput, callback: grpc.requestCallback<_steeple_server_federation_v1_GetStandingResponse>): grpc.ClientUnaryCall;
  getStanding(argument: _steeple_server_federation_v1_GetStandingRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_federation_v1_GetStandingResponse>): grpc.ClientUnaryCall;
  getStanding(argument: _steeple_server_federation_v1_GetStandingRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_federation_v1_GetStandingResponse>): grpc.ClientUnaryCall;
  getStanding(argument: _steeple_server_federation_v1_GetStandingRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_federation_v1_GetStandingResponse>): grpc.ClientUnaryCall;
  getStanding(argument: _steeple_server_federation_v1_GetStandingRequestInput, callback: grpc.requestCallback<_steeple_server_federation_v1_GetStandingResponse>): grpc.ClientUnaryCall;
  
}

export interface FederationHandlers extends grpc.UntypedServiceImplementation {
  GetStanding: grpc.handleUnaryCall<_steeple_server_federation_v1_GetStandingRequest, _steeple_server_federation_v1_GetStandingResponseInput>;
  
}

export interface FederationDefinition extends grpc.ServiceDefinition {
  GetStanding: MethodDefinition<_steeple_server_federation_v1_GetStandingRequestInput, _steeple_server_federation_v1_GetStandingResponseInput, _steeple_server_federation_v1_GetStandingRequest, _steeple_server_federation_v1_GetStandingResponse>
}
