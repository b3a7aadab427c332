// Original file: proto/linkerd2/identity.proto

import type { TimestampInput as _google_protobuf_TimestampInput, Timestamp as _google_protobuf_Timestamp } from '../../../../google/protobuf/Timestamp.ts';

export interface CertifyResponseInput {
  'leaf_certificate'?: (Buffer | Uint8Array | string);
  'intermediate_certificates'?: (Buffer | Uint8Array | string)[];
  'valid_until'?: (_google_protobuf_TimestampInput | null);
}

export interface CertifyResponse {
  'leaf_certificate': (Buffer);
  'intermediate_certificates': (Buffer)[];
  'valid_until': (_google_protobuf_Timestamp | null);
}
