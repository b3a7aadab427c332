// Original file: proto/steeple/server/mesh/v1/mesh.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetStatusRequestInput as _steeple_server_mesh_v1_GetStatusRequestInput, GetStatusRequest as _steeple_server_mesh_v1_GetStatusRequest } from '../../../../steeple/server/mesh/v1/GetStatusRequest.ts';
import type { GetStatusResponseInput as _steeple_server_mesh_v1_GetStatusResponseInput, GetStatusResponse as _steeple_server_mesh_v1_GetStatusResponse } from '../../../../steeple/server/mesh/v1/GetStatusResponse.ts';

export interface MeshClient extends grpc.Client {
  GetStatus(argument: _steeple_server_mesh_v1_GetStatusRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_mesh_v1_GetStatusResponse>): grpc.ClientUnaryCall;
  GetStatus(argument: _steeple_server_mesh_v1_GetStatusRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_mesh_v1_GetStatusResponse>): grpc.ClientUnaryCall;
  GetStatus(argument: _steeple_server_mesh_v1_GetStatusRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_mesh_v1_GetStatusResponse>): grpc.ClientUnaryCall;
  GetStatus(argument: _steeple_server_mesh_v1_GetStatusRequestInput, callback: grpc.requestCallback<_steeple_server_mesh_v1_GetStatusResponse>): grpc.ClientUnaryCall;
  getStatus(argument: _steeple_server_mesh_v1_GetStatusRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_mesh_v1_GetStatusResponse>): grpc.ClientUnaryCall;
  getStatus(argument: _steeple_server_mesh_v1_GetStatusRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_mesh_v1_GetStatusResponse>): grpc.ClientUnaryCall;
  getStatus(argument: _steeple_server_mesh_v1_GetStatusRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_mesh_v1_GetStatusResponse>): grpc.ClientUnaryCall;
  getStatus(argument: _steeple_server_mesh_v1_GetStatusRequestInput, callback: grpc.requestCallback<_steeple_server_mesh_v1_GetStatusResponse>): grpc.ClientUnaryCall;
  
}

export interface MeshHandlers extends grpc.UntypedServiceImplementation {
  GetStatus: grpc.handleUnaryCall<_steeple_server_mesh_v1_GetStatusRequest, _steeple_server_mesh_v1_GetStatusResponseInput>;
  
}

export interface MeshDefinition extends grpc.ServiceDefinition {
  GetStatus: MethodDefinition<_steeple_server_mesh_v1_GetStatusRequestInput, _steeple_server_mesh_v1_GetStatusResponseInput, _steeple_server_mesh_v1_GetStatusRequest, _steeple_server_mesh_v1_GetStatusResponse>
}
