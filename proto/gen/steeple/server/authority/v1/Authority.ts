// Original file: proto/steeple/server/authority/v1/authority.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { DiscardPreparedRequestInput as _steeple_server_authority_v1_DiscardPreparedRequestInput, DiscardPreparedRequest as _steeple_server_authority_v1_DiscardPreparedRequest } from '../../../../steeple/server/authority/v1/DiscardPreparedRequest.ts';
import type { DiscardPreparedResponseInput as _steeple_server_authority_v1_DiscardPreparedResponseInput, DiscardPreparedResponse as _steeple_server_authority_v1_DiscardPreparedResponse } from '../../../../steeple/server/authority/v1/DiscardPreparedResponse.ts';
import type { GetProgressRequestInput as _steeple_server_authority_v1_GetProgressRequestInput, GetProgressRequest as _steeple_server_authority_v1_GetProgressRequest } from '../../../../steeple/server/authority/v1/GetProgressRequest.ts';
import type { GetProgressResponseInput as _steeple_server_authority_v1_GetProgressResponseInput, GetProgressResponse as _steeple_server_authority_v1_GetProgressResponse } from '../../../../steeple/server/authority/v1/GetProgressResponse.ts';

export interface AuthorityClient extends grpc.Client {
  DiscardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  DiscardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  DiscardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  DiscardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  discardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  discardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  discardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  discardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  
  GetProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  GetProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  GetProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  GetProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  getProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  getProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  getProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  getProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  
}

export interface AuthorityHandlers extends grpc.UntypedServiceImplementation {
  DiscardPrepared: grpc.handleUnaryCall<_steeple_server_authority_v1_DiscardPreparedRequest, _steeple_server_authority_v1_DiscardPreparedResponseInput>;
  
  GetProgress: grpc.handleUnaryCall<_steeple_server_authority_v1_GetProgressRequest, _steeple_server_authority_v1_GetProgressResponseInput>;
  
}

export interface AuthorityDefinition extends grpc.ServiceDefinition {
  DiscardPrepared: MethodDefinition<_steeple_server_authority_v1_DiscardPreparedRequestInput, _steeple_server_authority_v1_DiscardPreparedResponseInput, _steeple_server_authority_v1_DiscardPreparedRequest, _steeple_server_authority_v1_DiscardPreparedResponse>
  GetProgress: MethodDefinition<_steeple_server_authority_v1_GetProgressRequestInput, _steeple_server_authority_v1_GetProgressResponseInput, _steeple_server_authority_v1_GetProgressRequest, _steeple_server_authority_v1_GetProgressResponse>
}
