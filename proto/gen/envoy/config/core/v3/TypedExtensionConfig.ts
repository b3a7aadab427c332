// Original file: proto/envoy/config/core/v3/extension.proto

import type { AnyInput as _google_protobuf_AnyInput, Any as _google_protobuf_Any } from '../../../../google/protobuf/Any.ts';

export interface TypedExtensionConfigInput {
  'name'?: (string);
  'typed_config'?: (_google_protobuf_AnyInput | null);
}

export interface TypedExtensionConfig {
  'name': (string);
  'typed_config': (_google_protobuf_Any | null);
}
