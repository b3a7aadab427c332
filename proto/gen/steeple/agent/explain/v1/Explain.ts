// Original file: proto/steeple/agent/explain/v1/explain.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ExplainProcessRequestInput as _steeple_agent_explain_v1_ExplainProcessRequestInput, ExplainProcessRequest as _steeple_agent_explain_v1_ExplainProcessRequest } from '../../../../steeple/agent/explain/v1/ExplainProcessRequest.ts';
import type { ExplainProcessResponseInput as _steeple_agent_explain_v1_ExplainProcessResponseInput, ExplainProcessResponse as _steeple_agent_explain_v1_ExplainProcessResponse } from '../../../../steeple/agent/explain/v1/ExplainProcessResponse.ts';

export interface ExplainClient extends grpc.Client {
  ExplainProcess(argument: _steeple_agent_explain_v1_ExplainProcessRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_agent_explain_v1_ExplainProcessResponse>): grpc.ClientUnaryCall;
  ExplainProcess(argument: _steeple_agent_explain_v1_ExplainProcessRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_agent_explain_v1_ExplainProcessResponse>): grpc.ClientUnaryCall;
  ExplainProcess(argument: _steeple_agent_explain_v1_ExplainProcessRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_agent_explain_v1_ExplainProcessResponse>): grpc.ClientUnaryCall;
  ExplainProcess(argument: _steeple_agent_explain_v1_ExplainProcessRequestInput, callback: grpc.requestCallback<_steeple_agent_explain_v1_ExplainProcessResponse>): grpc.ClientUnaryCall;
  explainProcess(argument: _steeple_agent_explain_v1_ExplainProcessRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_agent_explain_v1_ExplainProcessResponse>): grpc.ClientUnaryCall;
  explainProcess(argument: _steeple_agent_explain_v1_ExplainProcessRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_steeple_agent_explain_v1_ExplainProcessResponse>): grpc.ClientUnaryCall;
  explainProcess(argument: _steeple_agent_explain_v1_ExplainProcessRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_steeple_agent_explain_v1_ExplainProcessResponse>): grpc.ClientUnaryCall;
  explainProcess(argument: _steeple_agent_explain_v1_ExplainProcessRequestInput, callback: grpc.requestCallback<_steeple_agent_explain_v1_ExplainProcessResponse>): grpc.ClientUnaryCall;
  
}

export interface ExplainHandlers extends grpc.UntypedServiceImplementation {
  ExplainProcess: grpc.handleUnaryCall<_steeple_agent_explain_v1_ExplainProcessRequest, _steeple_agent_explain_v1_ExplainProcessResponseInput>;
  
}

export interface ExplainDefinition extends grpc.ServiceDefinition {
  ExplainProcess: MethodDefinition<_steeple_agent_explain_v1_ExplainProcessRequestInput, _steeple_agent_explain_v1_ExplainProcessResponseInput, _steeple_agent_explain_v1_ExplainProcessRequest, _steeple_agent_explain_v1_ExplainProcessResponse>
}
