// Original file: proto/istio/v1/auth/ca.proto

import type { StructInput as _google_protobuf_StructInput, Struct as _google_protobuf_Struct } from '../../../google/protobuf/Struct.ts';
import type { Long } from '@grpc/proto-loader';

export interface IstioCertificateRequestInput {
  'csr'?: (string);
  'validity_duration'?: (number | string | Long);
  'metadata'?: (_google_protobuf_StructInput | null);
}

export interface IstioCertificateRequest {
  'csr': (string);
  'validity_duration': (number);
  'metadata': (_google_protobuf_Struct | null);
}
