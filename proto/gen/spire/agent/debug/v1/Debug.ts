// Original file: proto/spire/agent/debug/v1/agent_debug.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetInfoRequestInput as _spire_agent_debug_v1_GetInfoRequestInput, GetInfoRequest as _spire_agent_debug_v1_GetInfoRequest } from '../../../../spire/agent/debug/v1/GetInfoRequest.ts';
import type { GetInfoResponseInput as _spire_agent_debug_v1_GetInfoResponseInput, GetInfoResponse as _spire_agent_debug_v1_GetInfoResponse } from '../../../../spire/agent/debug/v1/GetInfoResponse.ts';

export interface DebugClient extends grpc.Client {
  GetInfo(argument: _spire_agent_debug_v1_GetInfoRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_agent_debug_v1_GetInfoResponse>): grpc.ClientUnaryCall;
  GetInfo(argument: _spire_agent_debug_v1_GetInfoRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_agent_debug_v1_GetInfoResponse>): grpc.ClientUnaryCall;
  GetInfo(argument: _spire_agent_debug_v1_GetInfoRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_agent_debug_v1_GetInfoResponse>): grpc.ClientUnaryCall;
  GetInfo(argument: _spire_agent_debug_v1_GetInfoRequestInput, callback: grpc.requestCallback<_spire_agent_debug_v1_GetInfoResponse>): grpc.ClientUnaryCall;
  getInfo(argument: _spire_agent_debug_v1_GetInfoRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_agent_debug_v1_GetInfoResponse>): grpc.ClientUnaryCall;
  getInfo(argument: _spire_agent_debug_v1_GetInfoRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_agent_debug_v1_GetInfoResponse>): grpc.ClientUnaryCall;
  getInfo(argument: _spire_agent_debug_v1_GetInfoRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_agent_debug_v1_GetInfoResponse>): grpc.ClientUnaryCall;
  getInfo(argument: _spire_agent_debug_v1_GetInfoRequestInput, callback: grpc.requestCallback<_spire_agent_debug_v1_GetInfoResponse>): grpc.ClientUnaryCall;
  
}

export interface DebugHandlers extends grpc.UntypedServiceImplementation {
  GetInfo: grpc.handleUnaryCall<_spire_agent_debug_v1_GetInfoRequest, _spire_agent_debug_v1_GetInfoResponseInput>;
  
}

export interface DebugDefinition extends grpc.ServiceDefinition {
  GetInfo: MethodDefinition<_spire_agent_debug_v1_GetInfoRequestInput, _spire_agent_debug_v1_GetInfoResponseInput, _spire_agent_debug_v1_GetInfoRequest, _spire_agent_debug_v1_GetInfoResponse>
}
