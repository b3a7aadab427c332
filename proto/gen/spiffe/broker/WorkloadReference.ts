// Original file: proto/spiffe/broker/broker.proto

import type { AnyInput as _google_protobuf_AnyInput, Any as _google_protobuf_Any } from '../../google/protobuf/Any.ts';

export interface WorkloadReferenceInput {
  'reference'?: (_google_protobuf_AnyInput | null);
}

export interface WorkloadReference {
  'reference': (_google_protobuf_Any | null);
}
