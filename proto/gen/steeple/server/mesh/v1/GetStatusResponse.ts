// Original file: proto/steeple/server/mesh/v1/mesh.proto

import type { IstioCaInput as _steeple_server_mesh_v1_IstioCaInput, IstioCa as _steeple_server_mesh_v1_IstioCa } from '../../../../steeple/server/mesh/v1/IstioCa.ts';
import type { LinkerdInput as _steeple_server_mesh_v1_LinkerdInput, Linkerd as _steeple_server_mesh_v1_Linkerd } from '../../../../steeple/server/mesh/v1/Linkerd.ts';

export interface GetStatusResponseInput {
  'istio_ca'?: (_steeple_server_mesh_v1_IstioCaInput | null);
  'linkerd'?: (_steeple_server_mesh_v1_LinkerdInput | null);
}

export interface GetStatusResponse {
  'istio_ca': (_steeple_server_mesh_v1_IstioCa | null);
  'linkerd': (_steeple_server_mesh_v1_Linkerd | null);
}
