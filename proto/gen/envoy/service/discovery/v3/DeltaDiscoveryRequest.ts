// Original file: proto/envoy/service/discovery/v3/discovery.proto

import type { NodeInput as _envoy_config_core_v3_NodeInput, Node as _envoy_config_core_v3_Node } from '../../../../envoy/config/core/v3/Node.ts';
import type { StatusInput as _google_rpc_StatusInput, Status as _google_rpc_Status } from '../../../../google/rpc/Status.ts';

export interface DeltaDiscoveryRequestInput {
  'node'?: (_envoy_config_core_v3_NodeInput | null);
  'type_url'?: (string);
  'resource_names_subscribe'?: (string)[];
  'resource_names_unsubscribe'?: (string)[];
  'initial_resource_versions'?: ({[key: string]: string});
  'response_nonce'?: (string);
  'error_detail'?: (_google_rpc_StatusInput | null);
}

export interface DeltaDiscoveryRequest {
  'node': (_envoy_config_core_v3_Node | null);
  'type_url': (string);
  'resource_names_subscribe': (string)[];
  'resource_names_unsubscribe': (string)[];
  'initial_resource_versions': ({[key: string]: string});
  'response_nonce': (string);
  'error_detail': (_google_rpc_Status | null);
}
