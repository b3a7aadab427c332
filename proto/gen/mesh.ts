import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ClusterInput as _steeple_server_mesh_v1_ClusterInput, Cluster as _steeple_server_mesh_v1_Cluster } from './steeple/server/mesh/v1/Cluster.ts';
import type { GetStatusRequestInput as _steeple_server_mesh_v1_GetStatusRequestInput, GetStatusRequest as _steeple_server_mesh_v1_GetStatusRequest } from './steeple/server/mesh/v1/GetStatusRequest.ts';
import type { GetStatusResponseInput as _steeple_server_mesh_v1_GetStatusResponseInput, GetStatusResponse as _steeple_server_mesh_v1_GetStatusResponse } from './steeple/server/mesh/v1/GetStatusResponse.ts';
import type { IssuedInput as _steeple_server_mesh_v1_IssuedInput, Issued as _steeple_server_mesh_v1_Issued } from './steeple/server/mesh/v1/Issued.ts';
import type { IstioCaInput as _steeple_server_mesh_v1_IstioCaInput, IstioCa as _steeple_server_mesh_v1_IstioCa } from './steeple/server/mesh/v1/IstioCa.ts';
import type { LinkerdInput as _steeple_server_mesh_v1_LinkerdInput, Linkerd as _steeple_server_mesh_v1_Linkerd } from './steeple/server/mesh/v1/Linkerd.ts';
import type { MeshClient as _steeple_server_mesh_v1_MeshClient, MeshDefinition as _steeple_server_mesh_v1_MeshDefinition } from './steeple/server/mesh/v1/Mesh.ts';
import type { RefusalInput as _steeple_server_mesh_v1_RefusalInput, Refusal as _steeple_server_mesh_v1_Refusal } from './steeple/server/mesh/v1/Refusal.ts';
import type { TallyInput as _steeple_server_mesh_v1_TallyInput, Tally as _steeple_server_mesh_v1_Tally } from './steeple/server/mesh/v1/Tally.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  steeple: {
    server: {
      mesh: {
        v1: {
          Cluster: MessageTypeDefinition<_steeple_server_mesh_v1_ClusterInput, _steeple_server_mesh_v1_Cluster>
          GetStatusRequest: MessageTypeDefinition<_steeple_server_mesh_v1_GetStatusRequestInput, _steeple_server_mesh_v1_GetStatusRequest>
          GetStatusResponse: MessageTypeDefinition<_steeple_server_mesh_v1_GetStatusResponseInput, _steeple_server_mesh_v1_GetStatusResponse>
          Issued: MessageTypeDefinition<_steeple_server_mesh_v1_IssuedInput, _steeple_server_mesh_v1_Issued>
          IstioCa: MessageTypeDefinition<_steeple_server_mesh_v1_IstioCaInput, _steeple_server_mesh_v1_IstioCa>
          Linkerd: MessageTypeDefinition<_steeple_server_mesh_v1_LinkerdInput, _steeple_server_mesh_v1_Linkerd>
          Mesh: SubtypeConstructor<typeof grpc.Client, _steeple_server_mesh_v1_MeshClient> & { service: _steeple_server_mesh_v1_MeshDefinition }
          Refusal: MessageTypeDefinition<_steeple_server_mesh_v1_RefusalInput, _steeple_server_mesh_v1_Refusal>
          Tally: MessageTypeDefinition<_steeple_server_mesh_v1_TallyInput, _steeple_server_mesh_v1_Tally>
        }
      }
    }
  }
}

