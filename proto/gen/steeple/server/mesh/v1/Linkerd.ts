// Original file: proto/steeple/server/mesh/v1/mesh.proto

import type { TallyInput as _steeple_server_mesh_v1_TallyInput, Tally as _steeple_server_mesh_v1_Tally } from '../../../../steeple/server/mesh/v1/Tally.ts';
import type { Long } from '@grpc/proto-loader';

export interface LinkerdInput {
  'address'?: (string);
  'name'?: (string);
  'issuer_expires_at'?: (number | string | Long);
  'tally'?: (_steeple_server_mesh_v1_TallyInput | null);
}

export interface Linkerd {
  'address': (string);
  'name': (string);
  'issuer_expires_at': (number);
  'tally': (_steeple_server_mesh_v1_Tally | null);
}
