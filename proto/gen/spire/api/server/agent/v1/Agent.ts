// Original file: proto/spire/api/server/agent/v1/agent.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AgentInput as _spire_api_types_AgentInput, Agent as _spire_api_types_Agent } from '../../../../../spire/api/types/Agent.ts';
import type { AttestAgentRequestInput as _spire_api_server_agent_v1_AttestAgentRequestInput, AttestAgentRequest as _spire_api_server_agent_v1_AttestAgentRequest } from '../../../../../spire/api/server/agent/v1/AttestAgentRequest.ts';
import type { AttestAgentResponseInput as _spire_api_server_agent_v1_AttestAgentResponseInput, AttestAgentResponse as _spire_api_server_agent_v1_AttestAgentResponse } from '../../../../../spire/api/server/agent/v1/AttestAgentResponse.ts';
import type { BanAgentRequestInput as _spire_api_server_agent_v1_BanAgentRequestInput, BanAgentRequest as _spire_api_server_agent_v1_BanAgentRequest } from '../../../../../spire/api/server/agent/v1/BanAgentRequest.ts';
import type { CountAgentsRequestInput as _spire_api_server_agent_v1_CountAgentsRequestInput, CountAgentsRequest as _spire_api_server_agent_v1_CountAgentsRequest } from '../../../../../spire/api/server/agent/v1/CountAgentsRequest.ts';
import type { CountAgentsResponseInput as _spire_api_server_agent_v1_CountAgentsResponseInput, CountAgentsResponse as _spire_api_server_agent_v1_CountAgentsResponse } from '../../../../../spire/api/server/agent/v1/CountAgentsResponse.ts';
import type { CreateJoinTokenRequestInput as _spire_api_server_agent_v1_CreateJoinTokenRequestInput, CreateJoinTokenRequest as _spire_api_server_agent_v1_CreateJoinTokenRequest } from '../../../../../spire/api/server/agent/v1/CreateJoinTokenRequest.ts';
import type { DeleteAgentRequestInput as _spire_api_server_agent_v1_DeleteAgentRequestInput, DeleteAgentRequest as _spire_api_server_agent_v1_DeleteAgentRequest } from '../../../../../spire/api/server/agent/v1/DeleteAgentRequest.ts';
import type { EmptyInput as _google_protobuf_EmptyInput, Empty as _google_protobuf_Empty } from '../../../../../google/protobuf/Empty.ts';
import type { GetAgentRequestInput as _spire_api_server_agent_v1_GetAgentRequestInput, GetAgentRequest as _spire_api_server_agent_v1_GetAgentRequest } from '../../../../../spire/api/server/agent/v1/GetAgentRequest.ts';
import type { JoinTokenInput as _spire_api_types_JoinTokenInput, JoinToken as _spire_api_types_JoinToken } from '../../../../../spire/api/types/JoinToken.ts';
import type { ListAgentsRequestInput as _spire_api_server_agent_v1_ListAgentsRequestInput, ListAgentsRequest as _spire_api_server_agent_v1_ListAgentsRequest } from '../../../../../spire/api/server/agent/v1/ListAgentsRequest.ts';
import type { ListAgentsResponseInput as _spire_api_server_agent_v1_ListAgentsResponseInput, ListAgentsResponse as _spire_api_server_agent_v1_ListAgentsResponse } from '../../../../../spire/api/server/agent/v1/ListAgentsResponse.ts';
import type { PostStatusRequestInput as _spire_api_server_agent_v1_PostStatusRequestInput, PostStatusRequest as _spire_api_server_agent_v1_PostStatusRequest } from '../../../../../spire/api/server/agent/v1/PostStatusRequest.ts';
import type { PostStatusResponseInput as _spire_api_server_agent_v1_PostStatusResponseInput, PostStatusResponse as _spire_api_server_agent_v1_PostStatusResponse } from '../../../../../spire/api/server/agent/v1/PostStatusResponse.ts';
import type { RenewAgentRequestInput as _spire_api_server_agent_v1_RenewAgentRequestInput, RenewAgentRequest as _spire_api_server_agent_v1_RenewAgentRequest } from '../../../../../spire/api/server/agent/v1/RenewAgentRequest.ts';
import type { RenewAgentResponseInput as _spire_api_server_agent_v1_RenewAgentResponseInput, RenewAgentResponse as _spire_api_server_agent_v1_RenewAgentResponse } from '../../../../../spire/api/server/agent/v1/RenewAgentResponse.ts';

export interface AgentClient extends grpc.Client {
  AttestAgent(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_spire_api_server_agent_v1_AttestAgentRequestInput, _spire_api_server_agent_v1_AttestAgentResponse>;
  AttestAgent(options?: grpc.CallOptions): grpc.ClientDuplexStream<_spire_api_server_agent_v1_AttestAgentRequestInput, _spire_api_server_agent_v1_AttestAgentResponse>;
  attestAgent(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_spire_api_server_agent_v1_AttestAgentRequestInput, _spire_api_server_agent_v1_AttestAgentResponse>;
  attestAgent(options?: grpc.CallOptions): grpc.ClientDuplexStream<_spire_api_server_agent_v1_AttestAgentRequestInput, _spire_api_server_agent_v1_AttestAgentResponse>;
  
  BanAgent(argument: _spire_api_server_agent_v1_BanAgentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  BanAgent(argument: _spire_api_server_agent_v1_BanAgentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  BanAgent(argument: _spire_api_server_agent_v1_BanAgentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  BanAgent(argument: _spire_api_server_agent_v1_BanAgentRequestInput, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  banAgent(argument: _spire_api_server_agent_v1_BanAgentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  banAgent(argument: _spire_api_server_agent_v1_BanAgentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  banAgent(argument: _spire_api_server_agent_v1_BanAgentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  banAgent(argument: _spire_api_server_agent_v1_BanAgentRequestInput, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  
  CountAgents(argument: _spire_api_server_agent_v1_CountAgentsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_CountAgentsResponse>): grpc.ClientUnaryCall;
  CountAgents(argument: _spire_api_server_agent_v1_CountAgentsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_agent_v1_CountAgentsResponse>): grpc.ClientUnaryCall;
  CountAgents(argument: _spire_api_server_agent_v1_CountAgentsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_CountAgentsResponse>): grpc.ClientUnaryCall;
  CountAgents(argument: _spire_api_server_agent_v1_CountAgentsRequestInput, callback: grpc.requestCallback<_spire_api_server_agent_v1_CountAgentsResponse>): grpc.ClientUnaryCall;
  countAgents(argument: _spire_api_server_agent_v1_CountAgentsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_CountAgentsResponse>): grpc.ClientUnaryCall;
  countAgents(argument: _spire_api_server_agent_v1_CountAgentsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_agent_v1_CountAgentsResponse>): grpc.ClientUnaryCall;
  countAgents(argument: _spire_api_server_agent_v1_CountAgentsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_CountAgentsResponse>): grpc.ClientUnaryCall;
  countAgents(argument: _spire_api_server_agent_v1_CountAgentsRequestInput, callback: grpc.requestCallback<_spire_api_server_agent_v1_CountAgentsResponse>): grpc.ClientUnaryCall;
  
  CreateJoinToken(argument: _spire_api_server_agent_v1_CreateJoinTokenRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_JoinToken>): grpc.ClientUnaryCall;
  CreateJoinToken(argument: _spire_api_server_agent_v1_CreateJoinTokenRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_JoinToken>): grpc.ClientUnaryCall;
  CreateJoinToken(argument: _spire_api_server_agent_v1_CreateJoinTokenRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_JoinToken>): grpc.ClientUnaryCall;
  CreateJoinToken(argument: _spire_api_server_agent_v1_CreateJoinTokenRequestInput, callback: grpc.requestCallback<_spire_api_types_JoinToken>): grpc.ClientUnaryCall;
  createJoinToken(argument: _spire_api_server_agent_v1_CreateJoinTokenRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_JoinToken>): grpc.ClientUnaryCall;
  createJoinToken(argument: _spire_api_server_agent_v1_CreateJoinTokenRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_JoinToken>): grpc.ClientUnaryCall;
  createJoinToken(argument: _spire_api_server_agent_v1_CreateJoinTokenRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_JoinToken>): grpc.ClientUnaryCall;
  createJoinToken(argument: _spire_api_server_agent_v1_CreateJoinTokenRequestInput, callback: grpc.requestCallback<_spire_api_types_JoinToken>): grpc.ClientUnaryCall;
  
  DeleteAgent(argument: _spire_api_server_agent_v1_DeleteAgentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  DeleteAgent(argument: _spire_api_server_agent_v1_DeleteAgentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  DeleteAgent(argument: _spire_api_server_agent_v1_DeleteAgentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  DeleteAgent(argument: _spire_api_server_agent_v1_DeleteAgentRequestInput, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  deleteAgent(argument: _spire_api_server_agent_v1_DeleteAgentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  deleteAgent(argument: _spire_api_server_agent_v1_DeleteAgentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  deleteAgent(argument: _spire_api_server_agent_v1_DeleteAgentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  deleteAgent(argument: _spire_api_server_agent_v1_DeleteAgentRequestInput, callback: grpc.requestCallback<_google_protobuf_Empty>): grpc.ClientUnaryCall;
  
  GetAgent(argument: _spire_api_server_agent_v1_GetAgentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Agent>): grpc.ClientUnaryCall;
  GetAgent(argument: _spire_api_server_agent_v1_GetAgentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Agent>): grpc.ClientUnaryCall;
  GetAgent(argument: _spire_api_server_agent_v1_GetAgentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Agent>): grpc.ClientUnaryCall;
  GetAgent(argument: _spire_api_server_agent_v1_GetAgentRequestInput, callback: grpc.requestCallback<_spire_api_types_Agent>): grpc.ClientUnaryCall;
  getAgent(argument: _spire_api_server_agent_v1_GetAgentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Agent>): grpc.ClientUnaryCall;
  getAgent(argument: _spire_api_server_agent_v1_GetAgentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_types_Agent>): grpc.ClientUnaryCall;
  getAgent(argument: _spire_api_server_agent_v1_GetAgentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_types_Agent>): grpc.ClientUnaryCall;
  getAgent(argument: _spire_api_server_agent_v1_GetAgentRequestInput, callback: grpc.requestCallback<_spire_api_types_Agent>): grpc.ClientUnaryCall;
  
  ListAgents(argument: _spire_api_server_agent_v1_ListAgentsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_ListAgentsResponse>): grpc.ClientUnaryCall;
  ListAgents(argument: _spire_api_server_agent_v1_ListAgentsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_agent_v1_ListAgentsResponse>): grpc.ClientUnaryCall;
  ListAgents(argument: _spire_api_server_agent_v1_ListAgentsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_ListAgentsResponse>): grpc.ClientUnaryCall;
  ListAgents(argument: _spire_api_server_agent_v1_ListAgentsRequestInput, callback: grpc.requestCallback<_spire_api_server_agent_v1_ListAgentsResponse>): grpc.ClientUnaryCall;
  listAgents(argument: _spire_api_server_agent_v1_ListAgentsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_ListAgentsResponse>): grpc.ClientUnaryCall;
  listAgents(argument: _spire_api_server_agent_v1_ListAgentsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_agent_v1_ListAgentsResponse>): grpc.ClientUnaryCall;
  listAgents(argument: _spire_api_server_agent_v1_ListAgentsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_ListAgentsResponse>): grpc.ClientUnaryCall;
  listAgents(argument: _spire_api_server_agent_v1_ListAgentsRequestInput, callback: grpc.requestCallback<_spire_api_server_agent_v1_ListAgentsResponse>): grpc.ClientUnaryCall;
  
  PostStatus(argument: _spire_api_server_agent_v1_PostStatusRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_PostStatusResponse>): grpc.ClientUnaryCall;
  PostStatus(argument: _spire_api_server_agent_v1_PostStatusRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_agent_v1_PostStatusResponse>): grpc.ClientUnaryCall;
  PostStatus(argument: _spire_api_server_agent_v1_PostStatusRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_PostStatusResponse>): grpc.ClientUnaryCall;
  PostStatus(argument: _spire_api_server_agent_v1_PostStatusRequestInput, callback: grpc.requestCallback<_spire_api_server_agent_v1_PostStatusResponse>): grpc.ClientUnaryCall;
  postStatus(argument: _spire_api_server_agent_v1_PostStatusRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_PostStatusResponse>): grpc.ClientUnaryCall;
  postStatus(argument: _spire_api_server_agent_v1_PostStatusRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_agent_v1_PostStatusResponse>): grpc.ClientUnaryCall;
  postStatus(argument: _spire_api_server_agent_v1_PostStatusRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_PostStatusResponse>): grpc.ClientUnaryCall;
  postStatus(argument: _spire_api_server_agent_v1_PostStatusRequestInput, callback: grpc.requestCallback<_spire_api_server_agent_v1_PostStatusResponse>): grpc.ClientUnaryCall;
  
  RenewAgent(argument: _spire_api_server_agent_v1_RenewAgentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_RenewAgentResponse>): grpc.ClientUnaryCall;
  RenewAgent(argument: _spire_api_server_agent_v1_RenewAgentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_agent_v1_RenewAgentResponse>): grpc.ClientUnaryCall;
  RenewAgent(argument: _spire_api_server_agent_v1_RenewAgentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_RenewAgentResponse>): grpc.ClientUnaryCall;
  RenewAgent(argument: _spire_api_server_agent_v1_RenewAgentRequestInput, callback: grpc.requestCallback<_spire_api_server_agent_v1_RenewAgentResponse>): grpc.ClientUnaryCall;
  renewAgent(argument: _spire_api_server_agent_v1_RenewAgentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_RenewAgentResponse>): grpc.ClientUnaryCall;
  renewAgent(argument: _spire_api_server_agent_v1_RenewAgentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_agent_v1_RenewAgentResponse>): grpc.ClientUnaryCall;
  renewAgent(argument: _spire_api_server_agent_v1_RenewAgentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_agent_v1_RenewAgentResponse>): grpc.ClientUnaryCall;
  renewAgent(argument: _spire_api_server_agent_v1_RenewAgentRequestInput, callback: grpc.requestCallback<_spire_api_server_agent_v1_RenewAgentResponse>): grpc.ClientUnaryCall;
  
}

export interface AgentHandlers extends grpc.UntypedServiceImplementation {
  AttestAgent: grpc.handleBidiStreamingCall<_spire_api_server_agent_v1_AttestAgentRequest, _spire_api_server_agent_v1_AttestAgentResponseInput>;
  
  BanAgent: grpc.handleUnaryCall<_spire_api_server_agent_v1_BanAgentRequest, _google_protobuf_EmptyInput>;
  
  CountAgents: grpc.handleUnaryCall<_spire_api_server_agent_v1_CountAgentsRequest, _spire_api_server_agent_v1_CountAgentsResponseInput>;
  
  CreateJoinToken: grpc.handleUnaryCall<_spire_api_server_agent_v1_CreateJoinTokenRequest, _spire_api_types_JoinTokenInput>;
  
  DeleteAgent: grpc.handleUnaryCall<_spire_api_server_agent_v1_DeleteAgentRequest, _google_protobuf_EmptyInput>;
  
  GetAgent: grpc.handleUnaryCall<_spire_api_server_agent_v1_GetAgentRequest, _spire_api_types_AgentInput>;
  
  ListAgents: grpc.handleUnaryCall<_spire_api_server_agent_v1_ListAgentsRequest, _spire_api_server_agent_v1_ListAgentsResponseInput>;
  
  PostStatus: grpc.handleUnaryCall<_spire_api_server_agent_v1_PostStatusRequest, _spire_api_server_agent_v1_PostStatusResponseInput>;
  
  RenewAgent: grpc.handleUnaryCall<_spire_api_server_agent_v1_RenewAgentRequest, _spire_api_server_agent_v1_RenewAgentResponseInput>;
  
}

export interface AgentDefinition extends grpc.ServiceDefinition {
  AttestAgent: MethodDefinition<_spire_api_server_agent_v1_AttestAgentRequestInput, _spire_api_server_agent_v1_AttestAgentResponseInput, _spire_api_server_agent_v1_AttestAgentRequest, _spire_api_server_agent_v1_AttestAgentResponse>
  BanAgent: MethodDefinition<_spire_api_server_agent_v1_BanAgentRequestInput, _google_protobuf_EmptyInput, _spire_api_server_agent_v1_BanAgentRequest, _google_protobuf_Empty>
  CountAgents: MethodDefinition<_spire_api_server_agent_v1_CountAgentsRequestInput, _spire_api_server_agent_v1_CountAgentsResponseInput, _spire_api_server_agent_v1_CountAgentsRequest, _spire_api_server_agent_v1_CountAgentsResponse>
  CreateJoinToken: MethodDefinition<_spire_api_server_agent_v1_CreateJoinTokenRequestInput, _spire_api_types_JoinTokenInput, _spire_api_server_agent_v1_CreateJoinTokenRequest, _spire_api_types_JoinToken>
  DeleteAgent: MethodDefinition<_spire_api_server_agent_v1_DeleteAgentRequestInput, _google_protobuf_EmptyInput, _spire_api_server_agent_v1_DeleteAgentRequest, _google_protobuf_Empty>
  GetAgent: MethodDefinition<_spire_api_server_agent_v1_GetAgentRequestInput, _spire_api_types_AgentInput, _spire_api_server_agent_v1_GetAgentRequest, _spire_api_types_Agent>
  ListAgents: MethodDefinition<_spire_api_server_agent_v1_ListAgentsRequestInput, _spire_api_server_agent_v1_ListAgentsResponseInput, _spire_api_server_agent_v1_ListAgentsRequest, _spire_api_server_agent_v1_ListAgentsResponse>
  PostStatus: MethodDefinition<_spire_api_server_agent_v1_PostStatusRequestInput, _spire_api_server_agent_v1_PostStatusResponseInput, _spire_api_server_agent_v1_PostStatusRequest, _spire_api_server_agent_v1_PostStatusResponse>
  RenewAgent: MethodDefinition<_spire_api_server_agent_v1_RenewAgentRequestInput, _spire_api_server_agent_v1_RenewAgentResponseInput, _spire_api_server_agent_v1_RenewAgentRequest, _spire_api_server_agent_v1_RenewAgentResponse>
}
