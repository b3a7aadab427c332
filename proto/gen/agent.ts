import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { BoolValueInput as _google_protobuf_BoolValueInput, BoolValue as _google_protobuf_BoolValue } from './google/protobuf/BoolValue.ts';
import type { BytesValueInput as _google_protobuf_BytesValueInput, BytesValue as _google_protobuf_BytesValue } from './google/protobuf/BytesValue.ts';
import type { DoubleValueInput as _google_protobuf_DoubleValueInput, DoubleValue as _google_protobuf_DoubleValue } from './google/protobuf/DoubleValue.ts';
import type { EmptyInput as _google_protobuf_EmptyInput, Empty as _google_protobuf_Empty } from './google/protobuf/Empty.ts';
import type { FloatValueInput as _google_protobuf_FloatValueInput, FloatValue as _google_protobuf_FloatValue } from './google/protobuf/FloatValue.ts';
import type { Int32ValueInput as _google_protobuf_Int32ValueInput, Int32Value as _google_protobuf_Int32Value } from './google/protobuf/Int32Value.ts';
import type { Int64ValueInput as _google_protobuf_Int64ValueInput, Int64Value as _google_protobuf_Int64Value } from './google/protobuf/Int64Value.ts';
import type { StringValueInput as _google_protobuf_StringValueInput, StringValue as _google_protobuf_StringValue } from './google/protobuf/StringValue.ts';
import type { UInt32ValueInput as _google_protobuf_UInt32ValueInput, UInt32Value as _google_protobuf_UInt32Value } from './google/protobuf/UInt32Value.ts';
import type { UInt64ValueInput as _google_protobuf_UInt64ValueInput, UInt64Value as _google_protobuf_UInt64Value } from './google/protobuf/UInt64Value.ts';
import type { AgentClient as _spire_api_server_agent_v1_AgentClient, AgentDefinition as _spire_api_server_agent_v1_AgentDefinition } from './spire/api/server/agent/v1/Agent.ts';
import type { AgentX509SVIDParamsInput as _spire_api_server_agent_v1_AgentX509SVIDParamsInput, AgentX509SVIDParams as _spire_api_server_agent_v1_AgentX509SVIDParams } from './spire/api/server/agent/v1/AgentX509SVIDParams.ts';
import type { AttestAgentRequestInput as _spire_api_server_agent_v1_AttestAgentRequestInput, AttestAgentRequest as _spire_api_server_agent_v1_AttestAgentRequest } from './spire/api/server/agent/v1/AttestAgentRequest.ts';
import type { AttestAgentResponseInput as _spire_api_server_agent_v1_AttestAgentResponseInput, AttestAgentResponse as _spire_api_server_agent_v1_AttestAgentResponse } from './spire/api/server/agent/v1/AttestAgentResponse.ts';
import type { BanAgentRequestInput as _spire_api_server_agent_v1_BanAgentRequestInput, BanAgentRequest as _spire_api_server_agent_v1_BanAgentRequest } from './spire/api/server/agent/v1/BanAgentRequest.ts';
import type { CountAgentsRequestInput as _spire_api_server_agent_v1_CountAgentsRequestInput, CountAgentsRequest as _spire_api_server_agent_v1_CountAgentsRequest } from './spire/api/server/agent/v1/CountAgentsRequest.ts';
import type { CountAgentsResponseInput as _spire_api_server_agent_v1_CountAgentsResponseInput, CountAgentsResponse as _spire_api_server_agent_v1_CountAgentsResponse } from './spire/api/server/agent/v1/CountAgentsResponse.ts';
import type { CreateJoinTokenRequestInput as _spire_api_server_agent_v1_CreateJoinTokenRequestInput, CreateJoinTokenRequest as _spire_api_server_agent_v1_CreateJoinTokenRequest } from './spire/api/server/agent/v1/CreateJoinTokenRequest.ts';
import type { DeleteAgentRequestInput as _spire_api_server_agent_v1_DeleteAgentRequestInput, DeleteAgentRequest as _spire_api_server_agent_v1_DeleteAgentRequest } from './spire/api/server/agent/v1/DeleteAgentRequest.ts';
import type { GetAgentRequestInput as _spire_api_server_agent_v1_GetAgentRequestInput, GetAgentRequest as _spire_api_server_agent_v1_GetAgentRequest } from './spire/api/server/agent/v1/GetAgentRequest.ts';
import type { ListAgentsRequestInput as _spire_api_server_agent_v1_ListAgentsRequestInput, ListAgentsRequest as _spire_api_server_agent_v1_ListAgentsRequest } from './spire/api/server/agent/v1/ListAgentsRequest.ts';
import type { ListAgentsResponseInput as _spire_api_server_agent_v1_ListAgentsResponseInput, ListAgentsResponse as _spire_api_server_agent_v1_ListAgentsResponse } from './spire/api/server/agent/v1/ListAgentsResponse.ts';
import type { PostStatusRequestInput as _spire_api_server_agent_v1_PostStatusRequestInput, PostStatusRequest as _spire_api_server_agent_v1_PostStatusRequest } from './spire/api/server/agent/v1/PostStatusRequest.ts';
import type { PostStatusResponseInput as _spire_api_server_agent_v1_PostStatusResponseInput, PostStatusResponse as _spire_api_server_agent_v1_PostStatusResponse } from './spire/api/server/agent/v1/PostStatusResponse.ts';
import type { RenewAgentRequestInput as _spire_api_server_agent_v1_RenewAgentRequestInput, RenewAgentRequest as _spire_api_server_agent_v1_RenewAgentRequest } from './spire/api/server/agent/v1/RenewAgentRequest.ts';
import type { RenewAgentResponseInput as _spire_api_server_agent_v1_RenewAgentResponseInput, RenewAgentResponse as _spire_api_server_agent_v1_RenewAgentResponse } from './spire/api/server/agent/v1/RenewAgentResponse.ts';
import type { AgentInput as _spire_api_types_AgentInput, Agent as _spire_api_types_Agent } from './spire/api/types/Agent.ts';
import type { AgentMaskInput as _spire_api_types_AgentMaskInput, AgentMask as _spire_api_types_AgentMask } from './spire/api/types/AgentMask.ts';
import type { AttestationDataInput as _spire_api_types_AttestationDataInput, AttestationData as _spire_api_types_AttestationData } from './spire/api/types/AttestationData.ts';
import type { JoinTokenInput as _spire_api_types_JoinTokenInput, JoinToken as _spire_api_types_JoinToken } from './spire/api/types/JoinToken.ts';
import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from './spire/api/types/SPIFFEID.ts';
import type { SelectorInput as _spire_api_types_SelectorInput, Selector as _spire_api_types_Selector } from './spire/api/types/Selector.ts';
import type { SelectorMatchInput as _spire_api_types_SelectorMatchInput, SelectorMatch as _spire_api_types_SelectorMatch } from './spire/api/types/SelectorMatch.ts';
import type { X509SVIDInput as _spire_api_types_X509SVIDInput, X509SVID as _spire_api_types_X509SVID } from './spire/api/types/X509SVID.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      BoolValue: MessageTypeDefinition<_google_protobuf_BoolValueInput, _google_protobuf_BoolValue>
      BytesValue: MessageTypeDefinition<_google_protobuf_BytesValueInput, _google_protobuf_BytesValue>
      DoubleValue: MessageTypeDefinition<_google_protobuf_DoubleValueInput, _google_protobuf_DoubleValue>
      Empty: MessageTypeDefinition<_google_protobuf_EmptyInput, _google_protobuf_Empty>
      FloatValue: MessageTypeDefinition<_google_protobuf_FloatValueInput, _google_protobuf_FloatValue>
      Int32Value: MessageTypeDefinition<_google_protobuf_Int32ValueInput, _google_protobuf_Int32Value>
      Int64Value: MessageTypeDefinition<_google_protobuf_Int64ValueInput, _google_protobuf_Int64Value>
      StringValue: MessageTypeDefinition<_google_protobuf_StringValueInput, _google_protobuf_StringValue>
      UInt32Value: MessageTypeDefinition<_google_protobuf_UInt32ValueInput, _google_protobuf_UInt32Value>
      UInt64Value: MessageTypeDefinition<_google_protobuf_UInt64ValueInput, _google_protobuf_UInt64Value>
    }
  }
  spire: {
    api: {
      server: {
        agent: {
          v1: {
            Agent: SubtypeConstructor<typeof grpc.Client, _spire_api_server_agent_v1_AgentClient> & { service: _spire_api_server_agent_v1_AgentDefinition }
            AgentX509SVIDParams: MessageTypeDefinition<_spire_api_server_agent_v1_AgentX509SVIDParamsInput, _spire_api_server_agent_v1_AgentX509SVIDParams>
            AttestAgentRequest: MessageTypeDefinition<_spire_api_server_agent_v1_AttestAgentRequestInput, _spire_api_server_agent_v1_AttestAgentRequest>
            AttestAgentResponse: MessageTypeDefinition<_spire_api_server_agent_v1_AttestAgentResponseInput, _spire_api_server_agent_v1_AttestAgentResponse>
            BanAgentRequest: MessageTypeDefinition<_spire_api_server_agent_v1_BanAgentRequestInput, _spire_api_server_agent_v1_BanAgentRequest>
            CountAgentsRequest: MessageTypeDefinition<_spire_api_server_agent_v1_CountAgentsRequestInput, _spire_api_server_agent_v1_CountAgentsRequest>
            CountAgentsResponse: MessageTypeDefinition<_spire_api_server_agent_v1_CountAgentsResponseInput, _spire_api_server_agent_v1_CountAgentsResponse>
            CreateJoinTokenRequest: MessageTypeDefinition<_spire_api_server_agent_v1_CreateJoinTokenRequestInput, _spire_api_server_agent_v1_CreateJoinTokenRequest>
            DeleteAgentRequest: MessageTypeDefinition<_spire_api_server_agent_v1_DeleteAgentRequestInput, _spire_api_server_agent_v1_DeleteAgentRequest>
            GetAgentRequest: MessageTypeDefinition<_spire_api_server_agent_v1_GetAgentRequestInput, _spire_api_server_agent_v1_GetAgentRequest>
            ListAgentsRequest: MessageTypeDefinition<_spire_api_server_agent_v1_ListAgentsRequestInput, _spire_api_server_agent_v1_ListAgentsRequest>
            ListAgentsResponse: MessageTypeDefinition<_spire_api_server_agent_v1_ListAgentsResponseInput, _spire_api_server_agent_v1_ListAgentsResponse>
            PostStatusRequest: MessageTypeDefinition<_spire_api_server_agent_v1_PostStatusRequestInput, _spire_api_server_agent_v1_PostStatusRequest>
            PostStatusResponse: MessageTypeDefinition<_spire_api_server_agent_v1_PostStatusResponseInput, _spire_api_server_agent_v1_PostStatusResponse>
            RenewAgentRequest: MessageTypeDefinition<_spire_api_server_agent_v1_RenewAgentRequestInput, _spire_api_server_agent_v1_RenewAgentRequest>
            RenewAgentResponse: MessageTypeDefinition<_spire_api_server_agent_v1_RenewAgentResponseInput, _spire_api_server_agent_v1_RenewAgentResponse>
          }
        }
      }
      types: {
        Agent: MessageTypeDefinition<_spire_api_types_AgentInput, _spire_api_types_Agent>
        AgentMask: MessageTypeDefinition<_spire_api_types_AgentMaskInput, _spire_api_types_AgentMask>
        AttestationData: MessageTypeDefinition<_spire_api_types_AttestationDataInput, _spire_api_types_AttestationData>
        JoinToken: MessageTypeDefinition<_spire_api_types_JoinTokenInput, _spire_api_types_JoinToken>
        SPIFFEID: MessageTypeDefinition<_spire_api_types_SPIFFEIDInput, _spire_api_types_SPIFFEID>
        Selector: MessageTypeDefinition<_spire_api_types_SelectorInput, _spire_api_types_Selector>
        SelectorMatch: MessageTypeDefinition<_spire_api_types_SelectorMatchInput, _spire_api_types_SelectorMatch>
        X509SVID: MessageTypeDefinition<_spire_api_types_X509SVIDInput, _spire_api_types_X509SVID>
      }
    }
  }
}

