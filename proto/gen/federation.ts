import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { FederationClient as _steeple_server_federation_v1_FederationClient, FederationDefinition as _steeple_server_federation_v1_FederationDefinition } from './steeple/server/federation/v1/Federation.ts';
import type { GetStandingRequestInput as _steeple_server_federation_v1_GetStandingRequestInput, GetStandingRequest as _steeple_server_federation_v1_GetStandingRequest } from './steeple/server/federation/v1/GetStandingRequest.ts';
import type { GetStandingResponseInput as _steeple_server_federation_v1_GetStandingResponseInput, GetStandingResponse as _steeple_server_federation_v1_GetStandingResponse } from './steeple/server/federation/v1/GetStandingResponse.ts';
import type { StandingInput as _steeple_server_federation_v1_StandingInput, Standing as _steeple_server_federation_v1_Standing } from './steeple/server/federation/v1/Standing.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  steeple: {
    server: {
      federation: {
        v1: {
          Federation: SubtypeConstructor<typeof grpc.Client, _steeple_server_federation_v1_FederationClient> & { service: _steeple_server_federation_v1_FederationDefinition }
          GetStandingRequest: MessageTypeDefinition<_steeple_server_federation_v1_GetStandingRequestInput, _steeple_server_federation_v1_GetStandingRequest>
          GetStandingResponse: MessageTypeDefinition<_steeple_server_federation_v1_GetStandingResponseInput, _steeple_server_federation_v1_GetStandingResponse>
          Standing: MessageTypeDefinition<_steeple_server_federation_v1_StandingInput, _steeple_server_federation_v1_Standing>
        }
      }
    }
  }
}

