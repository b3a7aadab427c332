// Original file: proto/envoy/config/core/v3/base.proto

import type { SemanticVersionInput as _envoy_type_v3_SemanticVersionInput, SemanticVersion as _envoy_type_v3_SemanticVersion } from '../../../../envoy/type/v3/SemanticVersion.ts';
import type { StructInput as _google_protobuf_StructInput, Struct as _google_protobuf_Struct } from '../../../../google/protobuf/Struct.ts';

export interface BuildVersionInput {
  'version'?: (_envoy_type_v3_SemanticVersionInput | null);
  'metadata'?: (_google_protobuf_StructInput | null);
}

export interface BuildVersion {
  'version': (_envoy_type_v3_SemanticVersion | null);
  'metadata': (_google_protobuf_Struct | null);
}
