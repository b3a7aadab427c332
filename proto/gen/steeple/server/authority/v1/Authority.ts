// Original file: proto/steeple/server/authority/v1/authority.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { DiscardPreparedRequestInput as _steeple_server_authority_v1_DiscardPreparedRequestInput, DiscardPreparedRequest as _steeple_server_authority_v1_DiscardPreparedRequest } from '../../../../steeple/server/authority/v1/DiscardPreparedRequest.ts';
import type { DiscardPreparedResponseInput as _steeple_server_authority_v1_DiscardPreparedResponseInput, DiscardPreparedResponse as _steeple_server_authority_v1_DiscardPreparedResponse } from '../../../../steeple/server/authority/v1/DiscardPreparedResponse.ts';
import type { ForgetServerRequestInput as _steeple_server_authority_v1_ForgetServerRequestInput, ForgetServerRequest as _steeple_server_authority_v1_ForgetServerRequest } from '../../../../steeple/server/authority/v1/ForgetServerRequest.ts';
import type { ForgetServerResponseInput as _steeple_server_authority_v1_ForgetServerResponseInput, ForgetServerResponse as _steeple_server_authority_v1_ForgetServerResponse } from '../../../../steeple/server/authority/v1/ForgetServerResponse.ts';
import type { GetOverviewRequestInput as _steeple_server_authority_v1_GetOverviewRequestInput, GetOverviewRequest as _steeple_server_authority_v1_GetOverviewRequest } from '../../../../steeple/server/authority/v1/GetOverviewRequest.ts';
import type { GetOverviewResponseInput as _steeple_server_authority_v1_GetOverviewResponseInput, GetOverviewResponse as _steeple_server_authority_v1_GetOverviewResponse } from '../../../../steeple/server/authority/v1/GetOverviewResponse.ts';
import type { GetProgressRequestInput as _steeple_server_authority_v1_GetProgressRequestInput, GetProgressRequest as _steeple_server_authority_v1_GetProgressRequest } from '../../../../steeple/server/authority/v1/GetProgressRequest.ts';
import type { GetProgressResponseInput as _steeple_server_authority_v1_GetProgressResponseInput, GetProgressResponse as _steeple_server_authority_v1_GetProgressResponse } from '../../../../steeple/server/authority/v1/GetProgressResponse.ts';
import type { ListServersRequestInput as _steeple_server_authority_v1_ListServersRequestInput, ListServersRequest as _steeple_server_authority_v1_ListServersRequest } from '../../../../steeple/server/authority/v1/ListServersRequest.ts';
import type { ListServersResponseInput as _steeple_server_authority_v1_ListServersResponseInput, ListServersResponse as _steeple_server_authority_v1_ListServersResponse } from '../../../../steeple/server/authority/v1/ListServersResponse.ts';
import type { TakeStepRequestInput as _steeple_server_authority_v1_TakeStepRequestInput, TakeStepRequest as _steeple_server_authority_v1_TakeStepRequest } from '../../../../steeple/server/authority/v1/TakeStepRequest.ts';
import type { TakeStepResponseInput as _steeple_server_authority_v1_TakeStepResponseInput, TakeStepResponse as _steeple_server_authority_v1_TakeStepResponse } from '../../../../steeple/server/authority/v1/TakeStepResponse.ts';

export interface AuthorityClient extends grpc.Client {
  DiscardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  DiscardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  DiscardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  DiscardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  discardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  discardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  discardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  discardPrepared(argument: _steeple_server_authority_v1_DiscardPreparedRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_DiscardPreparedResponse>): grpc.ClientUnaryCall;
  
  ForgetServer(argument: _steeple_server_authority_v1_ForgetServerRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_ForgetServerResponse>): grpc.ClientUnaryCall;
  ForgetServer(argument: _steeple_server_authority_v1_ForgetServerRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_ForgetServerResponse>): grpc.ClientUnaryCall;
  ForgetServer(argument: _steeple_server_authority_v1_ForgetServerRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_ForgetServerResponse>): grpc.ClientUnaryCall;
  ForgetServer(argument: _steeple_server_authority_v1_ForgetServerRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_ForgetServerResponse>): grpc.ClientUnaryCall;
  forgetServer(argument: _steeple_server_authority_v1_ForgetServerRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_ForgetServerResponse>): grpc.ClientUnaryCall;
  forgetServer(argument: _steeple_server_authority_v1_ForgetServerRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_ForgetServerResponse>): grpc.ClientUnaryCall;
  forgetServer(argument: _steeple_server_authority_v1_ForgetServerRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_ForgetServerResponse>): grpc.ClientUnaryCall;
  forgetServer(argument: _steeple_server_authority_v1_ForgetServerRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_ForgetServerResponse>): grpc.ClientUnaryCall;
  
  GetOverview(argument: _steeple_server_authority_v1_GetOverviewRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_GetOverviewResponse>): grpc.ClientUnaryCall;
  GetOverview(argument: _steeple_server_authority_v1_GetOverviewRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_GetOverviewResponse>): grpc.ClientUnaryCall;
  GetOverview(argument: _steeple_server_authority_v1_GetOverviewRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_GetOverviewResponse>): grpc.ClientUnaryCall;
  GetOverview(argument: _steeple_server_authority_v1_GetOverviewRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_GetOverviewResponse>): grpc.ClientUnaryCall;
  getOverview(argument: _steeple_server_authority_v1_GetOverviewRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_GetOverviewResponse>): grpc.ClientUnaryCall;
  getOverview(argument: _steeple_server_authority_v1_GetOverviewRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_GetOverviewResponse>): grpc.ClientUnaryCall;
  getOverview(argument: _steeple_server_authority_v1_GetOverviewRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_GetOverviewResponse>): grpc.ClientUnaryCall;
  getOverview(argument: _steeple_server_authority_v1_GetOverviewRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_GetOverviewResponse>): grpc.ClientUnaryCall;
  
  GetProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  GetProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  GetProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  GetProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  getProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  getProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  getProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  getProgress(argument: _steeple_server_authority_v1_GetProgressRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_GetProgressResponse>): grpc.ClientUnaryCall;
  
  ListServers(argument: _steeple_server_authority_v1_ListServersRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_ListServersResponse>): grpc.ClientUnaryCall;
  ListServers(argument: _steeple_server_authority_v1_ListServersRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_ListServersResponse>): grpc.ClientUnaryCall;
  ListServers(argument: _steeple_server_authority_v1_ListServersRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_ListServersResponse>): grpc.ClientUnaryCall;
  ListServers(argument: _steeple_server_authority_v1_ListServersRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_ListServersResponse>): grpc.ClientUnaryCall;
  listServers(argument: _steeple_server_authority_v1_ListServersRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_ListServersResponse>): grpc.ClientUnaryCall;
  listServers(argument: _steeple_server_authority_v1_ListServersRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_ListServersResponse>): grpc.ClientUnaryCall;
  listServers(argument: _steeple_server_authority_v1_ListServersRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_ListServersResponse>): grpc.ClientUnaryCall;
  listServers(argument: _steeple_server_authority_v1_ListServersRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_ListServersResponse>): grpc.ClientUnaryCall;
  
  TakeStep(argument: _steeple_server_authority_v1_TakeStepRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_TakeStepResponse>): grpc.ClientUnaryCall;
  TakeStep(argument: _steeple_server_authority_v1_TakeStepRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_TakeStepResponse>): grpc.ClientUnaryCall;
  TakeStep(argument: _steeple_server_authority_v1_TakeStepRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_TakeStepResponse>): grpc.ClientUnaryCall;
  TakeStep(argument: _steeple_server_authority_v1_TakeStepRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_TakeStepResponse>): grpc.ClientUnaryCall;
  takeStep(argument: _steeple_server_authority_v1_TakeStepRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_TakeStepResponse>): grpc.ClientUnaryCall;
  takeStep(argument: _steeple_server_authority_v1_TakeStepRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_server_authority_v1_TakeStepResponse>): grpc.ClientUnaryCall;
  takeStep(argument: _steeple_server_authority_v1_TakeStepRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_server_authority_v1_TakeStepResponse>): grpc.ClientUnaryCall;
  takeStep(argument: _steeple_server_authority_v1_TakeStepRequestInput, callback: grpc.requestCallback<_steeple_server_authority_v1_TakeStepResponse>): grpc.ClientUnaryCall;
  
}

export interface AuthorityHandlers extends grpc.UntypedServiceImplementation {
  DiscardPrepared: grpc.handleUnaryCall<_steeple_server_authority_v1_DiscardPreparedRequest, _steeple_server_authority_v1_DiscardPreparedResponseInput>;
  
  ForgetServer: grpc.handleUnaryCall<_steeple_server_authority_v1_ForgetServerRequest, _steeple_server_authority_v1_ForgetServerResponseInput>;
  
  GetOverview: grpc.handleUnaryCall<_steeple_server_authority_v1_GetOverviewRequest, _steeple_server_authority_v1_GetOverviewResponseInput>;
  
  GetProgress: grpc.handleUnaryCall<_steeple_server_authority_v1_GetProgressRequest, _steeple_server_authority_v1_GetProgressResponseInput>;
  
  ListServers: grpc.handleUnaryCall<_steeple_server_authority_v1_ListServersRequest, _steeple_server_authority_v1_ListServersResponseInput>;
  
  TakeStep: grpc.handleUnaryCall<_steeple_server_authority_v1_TakeStepRequest, _steeple_server_authority_v1_TakeStepResponseInput>;
  
}

export interface AuthorityDefinition extends grpc.ServiceDefinition {
  DiscardPrepared: MethodDefinition<_steeple_server_authority_v1_DiscardPreparedRequestInput, _steeple_server_authority_v1_DiscardPreparedResponseInput, _steeple_server_authority_v1_DiscardPreparedRequest, _steeple_server_authority_v1_DiscardPreparedResponse>
  ForgetServer: MethodDefinition<_steeple_server_authority_v1_ForgetServerRequestInput, _steeple_server_authority_v1_ForgetServerResponseInput, _steeple_server_authority_v1_ForgetServerRequest, _steeple_server_authority_v1_ForgetServerResponse>
  GetOverview: MethodDefinition<_steeple_server_authority_v1_GetOverviewRequestInput, _steeple_server_authority_v1_GetOverviewResponseInput, _steeple_server_authority_v1_GetOverviewRequest, _steeple_server_authority_v1_GetOverviewResponse>
  GetProgress: MethodDefinition<_steeple_server_authority_v1_GetProgressRequestInput, _steeple_server_authority_v1_GetProgressResponseInput, _steeple_server_authority_v1_GetProgressRequest, _steeple_server_authority_v1_GetProgressResponse>
  ListServers: MethodDefinition<_steeple_server_authority_v1_ListServersRequestInput, _steeple_server_authority_v1_ListServersResponseInput, _steeple_server_authority_v1_ListServersRequest, _steeple_server_authority_v1_ListServersResponse>
  TakeStep: MethodDefinition<_steeple_server_authority_v1_TakeStepRequestInput, _steeple_server_authority_v1_TakeStepResponseInput, _steeple_server_authority_v1_TakeStepRequest, _steeple_server_authority_v1_TakeStepResponse>
}
