// Original file: proto/workload/workload.proto

import type { StructInput as _google_protobuf_StructInput, Struct as _google_protobuf_Struct } from './google/protobuf/Struct.ts';

export interface ValidateJWTSVIDResponseInput {
  'spiffe_id'?: (string);
  'claims'?: (_google_protobuf_StructInput | null);
}

export interface ValidateJWTSVIDResponse {
  'spiffe_id': (string);
  'claims': (_google_protobuf_Struct | null);
}
