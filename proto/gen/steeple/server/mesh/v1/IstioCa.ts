// Original file: proto/steeple/server/mesh/v1/mesh.proto

import type { ClusterInput as _steeple_server_mesh_v1_ClusterInput, Cluster as _steeple_server_mesh_v1_Cluster } from '../../../../steeple/server/mesh/v1/Cluster.ts';
import type { TallyInput as _steeple_server_mesh_v1_TallyInput, Tally as _steeple_server_mesh_v1_Tally } from '../../../../steeple/server/mesh/v1/Tally.ts';
import type { Long } from '@grpc/proto-loader';

export interface IstioCaInput {
  'address'?: (string);
  'dns_names'?: (string)[];
  'clusters'?: (_steeple_server_mesh_v1_ClusterInput)[];
  'local_cluster'?: (string);
  'token_audiences'?: (string)[];
  'trusted_node_accounts'?: (string)[];
  'registration'?: (string);
  'max_ttl'?: (number | string | Long);
  'tally'?: (_steeple_server_mesh_v1_TallyInput | null);
}

export interface IstioCa {
  'address': (string);
  'dns_names': (string)[];
  'clusters': (_steeple_server_mesh_v1_Cluster)[];
  'local_cluster': (string);
  'token_audiences': (string)[];
  'trusted_node_accounts': (string)[];
  'registration': (string);
  'max_ttl': (number);
  'tally': (_steeple_server_mesh_v1_Tally | null);
}
