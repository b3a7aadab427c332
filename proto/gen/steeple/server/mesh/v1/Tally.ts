// Original file: proto/steeple/server/mesh/v1/mesh.proto

import type { IssuedInput as _steeple_server_mesh_v1_IssuedInput, Issued as _steeple_server_mesh_v1_Issued } from '../../../../steeple/server/mesh/v1/Issued.ts';
import type { RefusalInput as _steeple_server_mesh_v1_RefusalInput, Refusal as _steeple_server_mesh_v1_Refusal } from '../../../../steeple/server/mesh/v1/Refusal.ts';
import type { Long } from '@grpc/proto-loader';

export interface TallyInput {
  'issued'?: (number | string | Long);
  'refused'?: (number | string | Long);
  'last_issued'?: (_steeple_server_mesh_v1_IssuedInput)[];
  'last_refusals'?: (_steeple_server_mesh_v1_RefusalInput)[];
  'refused_by_check'?: ({[key: string]: number | string | Long});
}

export interface Tally {
  'issued': (number);
  'refused': (number);
  'last_issued': (_steeple_server_mesh_v1_Issued)[];
  'last_refusals': (_steeple_server_mesh_v1_Refusal)[];
  'refused_by_check': ({[key: string]: number});
}
