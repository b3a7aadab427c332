// Original file: proto/envoy/config/core/v3/base.proto

import type { StructInput as _google_protobuf_StructInput, Struct as _google_protobuf_Struct } from '../../../../google/protobuf/Struct.ts';
import type { BuildVersionInput as _envoy_config_core_v3_BuildVersionInput, BuildVersion as _envoy_config_core_v3_BuildVersion } from '../../../../envoy/config/core/v3/BuildVersion.ts';

export interface NodeInput {
  'id'?: (string);
  'cluster'?: (string);
  'metadata'?: (_google_protobuf_StructInput | null);
  'user_agent_name'?: (string);
  'user_agent_version'?: (string);
  'user_agent_build_version'?: (_envoy_config_core_v3_BuildVersionInput | null);
  'user_agent_version_type'?: "user_agent_version"|"user_agent_build_version";
}

export interface Node {
  'id': (string);
  'cluster': (string);
  'metadata': (_google_protobuf_Struct | null);
  'user_agent_name': (string);
  'user_agent_version'?: (string);
  'user_agent_build_version'?: (_envoy_config_core_v3_BuildVersion | null);
  'user_agent_version_type'?: "user_agent_version"|"user_agent_build_version";
}
