// Original file: proto/steeple/server/sync/v1/sync.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { WatchRequestInput as _steeple_server_sync_v1_WatchRequestInput, WatchRequest as _steeple_server_sync_v1_WatchRequest } from '../../../../steeple/server/sync/v1/WatchRequest.ts';
import type { WatchResponseInput as _steeple_server_sync_v1_WatchResponseInput, WatchResponse as _steeple_server_sync_v1_WatchResponse } from '../../../../steeple/server/sync/v1/WatchResponse.ts';

export interface SyncClient extends grpc.Client {
  Watch(argument: _steeple_server_sync_v1_WatchRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_steeple_server_sync_v1_WatchResponse>;
  Watch(argument: _steeple_server_sync_v1_WatchRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_steeple_server_sync_v1_WatchResponse>;
  watch(argument: _steeple_server_sync_v1_WatchRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_steeple_server_sync_v1_WatchResponse>;
  watch(argument: _steeple_server_sync_v1_WatchRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_steeple_server_sync_v1_WatchResponse>;
  
}

export interface SyncHandlers extends grpc.UntypedServiceImplementation {
  Watch: grpc.handleServerStreamingCall<_steeple_server_sync_v1_WatchRequest, _steeple_server_sync_v1_WatchResponseInput>;
  
}

export interface SyncDefinition extends grpc.ServiceDefinition {
  Watch: MethodDefinition<_steeple_server_sync_v1_WatchRequestInput, _steeple_server_sync_v1_WatchResponseInput, _steeple_server_sync_v1_WatchRequest, _steeple_server_sync_v1_WatchResponse>
}
