import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { DebugClient as _spire_agent_debug_v1_DebugClient, DebugDefinition as _spire_agent_debug_v1_DebugDefinition } from './spire/agent/debug/v1/Debug.ts';
import type { GetInfoRequestInput as _spire_agent_debug_v1_GetInfoRequestInput, GetInfoRequest as _spire_agent_debug_v1_GetInfoRequest } from './spire/agent/debug/v1/GetInfoRequest.ts';
import type { GetInfoResponseInput as _spire_agent_debug_v1_GetInfoResponseInput, GetInfoResponse as _spire_agent_debug_v1_GetInfoResponse } from './spire/agent/debug/v1/GetInfoResponse.ts';
import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from './spire/api/types/SPIFFEID.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  spire: {
    agent: {
      debug: {
        v1: {
          Debug: SubtypeConstructor<typeof grpc.Client, _spire_agent_debug_v1_DebugClient> & { service: _spire_agent_debug_v1_DebugDefinition }
          GetInfoRequest: MessageTypeDefinition<_spire_agent_debug_v1_GetInfoRequestInput, _spire_agent_debug_v1_GetInfoRequest>
          GetInfoResponse: MessageTypeDefinition<_spire_agent_debug_v1_GetInfoResponseInput, _spire_agent_debug_v1_GetInfoResponse>
        }
      }
    }
    api: {
      types: {
        SPIFFEID: MessageTypeDefinition<_spire_api_types_SPIFFEIDInput, _spire_api_types_SPIFFEID>
      }
    }
  }
}

