import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AuthorityClient as _steeple_server_authority_v1_AuthorityClient, AuthorityDefinition as _steeple_server_authority_v1_AuthorityDefinition } from './steeple/server/authority/v1/Authority.ts';
import type { DiscardPreparedRequestInput as _steeple_server_authority_v1_DiscardPreparedRequestInput, DiscardPreparedRequest as _steeple_server_authority_v1_DiscardPreparedRequest } from './steeple/server/authority/v1/DiscardPreparedRequest.ts';
import type { DiscardPreparedResponseInput as _steeple_server_authority_v1_DiscardPreparedResponseInput, DiscardPreparedResponse as _steeple_server_authority_v1_DiscardPreparedResponse } from './steeple/server/authority/v1/DiscardPreparedResponse.ts';
import type { FollowerInput as _steeple_server_authority_v1_FollowerInput, Follower as _steeple_server_authority_v1_Follower } from './steeple/server/authority/v1/Follower.ts';
import type { ForgetServerRequestInput as _steeple_server_authority_v1_ForgetServerRequestInput, ForgetServerRequest as _steeple_server_authority_v1_ForgetServerRequest } from './steeple/server/authority/v1/ForgetServerRequest.ts';
import type { ForgetServerResponseInput as _steeple_server_authority_v1_ForgetServerResponseInput, ForgetServerResponse as _steeple_server_authority_v1_ForgetServerResponse } from './steeple/server/authority/v1/ForgetServerResponse.ts';
import type { GetOverviewRequestInput as _steeple_server_authority_v1_GetOverviewRequestInput, GetOverviewRequest as _steeple_server_authority_v1_GetOverviewRequest } from './steeple/server/authority/v1/GetOverviewRequest.ts';
import type { GetOverviewResponseInput as _steeple_server_authority_v1_GetOverviewResponseInput, GetOverviewResponse as _steeple_server_authority_v1_GetOverviewResponse } from './steeple/server/authority/v1/GetOverviewResponse.ts';
import type { GetProgressRequestInput as _steeple_server_authority_v1_GetProgressRequestInput, GetProgressRequest as _steeple_server_authority_v1_GetProgressRequest } from './steeple/server/authority/v1/GetProgressRequest.ts';
import type { GetProgressResponseInput as _steeple_server_authority_v1_GetProgressResponseInput, GetProgressResponse as _steeple_server_authority_v1_GetProgressResponse } from './steeple/server/authority/v1/GetProgressResponse.ts';
import type { ListServersRequestInput as _steeple_server_authority_v1_ListServersRequestInput, ListServersRequest as _steeple_server_authority_v1_ListServersRequest } from './steeple/server/authority/v1/ListServersRequest.ts';
import type { ListServersResponseInput as _steeple_server_authority_v1_ListServersResponseInput, ListServersResponse as _steeple_server_authority_v1_ListServersResponse } from './steeple/server/authority/v1/ListServersResponse.ts';
import type { ServerInput as _steeple_server_authority_v1_ServerInput, Server as _steeple_server_authority_v1_Server } from './steeple/server/authority/v1/Server.ts';
import type { ServerProgressInput as _steeple_server_authority_v1_ServerProgressInput, ServerProgress as _steeple_server_authority_v1_ServerProgress } from './steeple/server/authority/v1/ServerProgress.ts';
import type { ServerSlotsInput as _steeple_server_authority_v1_ServerSlotsInput, ServerSlots as _steeple_server_authority_v1_ServerSlots } from './steeple/server/authority/v1/ServerSlots.ts';
import type { StandingInput as _steeple_server_authority_v1_StandingInput, Standing as _steeple_server_authority_v1_Standing } from './steeple/server/authority/v1/Standing.ts';
import type { TakeStepRequestInput as _steeple_server_authority_v1_TakeStepRequestInput, TakeStepRequest as _steeple_server_authority_v1_TakeStepRequest } from './steeple/server/authority/v1/TakeStepRequest.ts';
import type { TakeStepResponseInput as _steeple_server_authority_v1_TakeStepResponseInput, TakeStepResponse as _steeple_server_authority_v1_TakeStepResponse } from './steeple/server/authority/v1/TakeStepResponse.ts';
import type { UseInput as _steeple_server_authority_v1_UseInput, Use as _steeple_server_authority_v1_Use } from './steeple/server/authority/v1/Use.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  steeple: {
    server: {
      authority: {
        v1: {
          Activation: EnumTypeDefinition
          Authority: SubtypeConstructor<typeof grpc.Client, _steeple_server_authority_v1_AuthorityClient> & { service: _steeple_server_authority_v1_AuthorityDefinition }
          DiscardPreparedRequest: MessageTypeDefinition<_steeple_server_authority_v1_DiscardPreparedRequestInput, _steeple_server_authority_v1_DiscardPreparedRequest>
          DiscardPreparedResponse: MessageTypeDefinition<_steeple_server_authority_v1_DiscardPreparedResponseInput, _steeple_server_authority_v1_DiscardPreparedResponse>
          Follower: MessageTypeDefinition<_steeple_server_authority_v1_FollowerInput, _steeple_server_authority_v1_Follower>
          FollowerKind: EnumTypeDefinition
          ForgetServerRequest: MessageTypeDefinition<_steeple_server_authority_v1_ForgetServerRequestInput, _steeple_server_authority_v1_ForgetServerRequest>
          ForgetServerResponse: MessageTypeDefinition<_steeple_server_authority_v1_ForgetServerResponseInput, _steeple_server_authority_v1_ForgetServerResponse>
          GetOverviewRequest: MessageTypeDefinition<_steeple_server_authority_v1_GetOverviewRequestInput, _steeple_server_authority_v1_GetOverviewRequest>
          GetOverviewResponse: MessageTypeDefinition<_steeple_server_authority_v1_GetOverviewResponseInput, _steeple_server_authority_v1_GetOverviewResponse>
          GetProgressRequest: MessageTypeDefinition<_steeple_server_authority_v1_GetProgressRequestInput, _steeple_server_authority_v1_GetProgressRequest>
          GetProgressResponse: MessageTypeDefinition<_steeple_server_authority_v1_GetProgressResponseInput, _steeple_server_authority_v1_GetProgressResponse>
          Kind: EnumTypeDefinition
          ListServersRequest: MessageTypeDefinition<_steeple_server_authority_v1_ListServersRequestInput, _steeple_server_authority_v1_ListServersRequest>
          ListServersResponse: MessageTypeDefinition<_steeple_server_authority_v1_ListServersResponseInput, _steeple_server_authority_v1_ListServersResponse>
          Server: MessageTypeDefinition<_steeple_server_authority_v1_ServerInput, _steeple_server_authority_v1_Server>
          ServerProgress: MessageTypeDefinition<_steeple_server_authority_v1_ServerProgressInput, _steeple_server_authority_v1_ServerProgress>
          ServerSlots: MessageTypeDefinition<_steeple_server_authority_v1_ServerSlotsInput, _steeple_server_authority_v1_ServerSlots>
          ServerState: EnumTypeDefinition
          Standing: MessageTypeDefinition<_steeple_server_authority_v1_StandingInput, _steeple_server_authority_v1_Standing>
          Step: EnumTypeDefinition
          TakeStepRequest: MessageTypeDefinition<_steeple_server_authority_v1_TakeStepRequestInput, _steeple_server_authority_v1_TakeStepRequest>
          TakeStepResponse: MessageTypeDefinition<_steeple_server_authority_v1_TakeStepResponseInput, _steeple_server_authority_v1_TakeStepResponse>
          Use: MessageTypeDefinition<_steeple_server_authority_v1_UseInput, _steeple_server_authority_v1_Use>
          UseKind: EnumTypeDefinition
        }
      }
    }
  }
}

