import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AuthorityClient as _steeple_server_authority_v1_AuthorityClient, AuthorityDefinition as _steeple_server_authority_v1_AuthorityDefinition } from './steeple/server/authority/v1/Authority.ts';
import type { DiscardPreparedRequestInput as _steeple_server_authority_v1_DiscardPreparedRequestInput, DiscardPreparedRequest as _steeple_server_authority_v1_DiscardPreparedRequest } from './steeple/server/authority/v1/DiscardPreparedRequest.ts';
import type { DiscardPreparedResponseInput as _steeple_server_authority_v1_DiscardPreparedResponseInput, DiscardPreparedResponse as _steeple_server_authority_v1_DiscardPreparedResponse } from './steeple/server/authority/v1/DiscardPreparedResponse.ts';
import type { FollowerInput as _steeple_server_authority_v1_FollowerInput, Follower as _steeple_server_authority_v1_Follower } from './steeple/server/authority/v1/Follower.ts';
import type { GetProgressRequestInput as _steeple_server_authority_v1_GetProgressRequestInput, GetProgressRequest as _steeple_server_authority_v1_GetProgressRequest } from './steeple/server/authority/v1/GetProgressRequest.ts';
import type { GetProgressResponseInput as _steeple_server_authority_v1_GetProgressResponseInput, GetProgressResponse as _steeple_server_authority_v1_GetProgressResponse } from './steeple/server/authority/v1/GetProgressResponse.ts';
import type { StandingInput as _steeple_server_authority_v1_StandingInput, Standing as _steeple_server_authority_v1_Standing } from './steeple/server/authority/v1/Standing.ts';
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
          GetProgressRequest: MessageTypeDefinition<_steeple_server_authority_v1_GetProgressRequestInput, _steeple_server_authority_v1_GetProgressRequest>
          GetProgressResponse: MessageTypeDefinition<_steeple_server_authority_v1_GetProgressResponseInput, _steeple_server_authority_v1_GetProgressResponse>
          Kind: EnumTypeDefinition
          Standing: MessageTypeDefinition<_steeple_server_authority_v1_StandingInput, _steeple_server_authority_v1_Standing>
          Use: MessageTypeDefinition<_steeple_server_authority_v1_UseInput, _steeple_server_authority_v1_Use>
          UseKind: EnumTypeDefinition
        }
      }
    }
  }
}

