// Original file: proto/envoy/service/discovery/v3/discovery.proto

import type { AnyInput as _google_protobuf_AnyInput, Any as _google_protobuf_Any } from '../../../../google/protobuf/Any.ts';

export interface ResourceInput {
  'version'?: (string);
  'resource'?: (_google_protobuf_AnyInput | null);
  'name'?: (string);
  'aliases'?: (string)[];
}

export interface Resource {
  'version': (string);
  'resource': (_google_protobuf_Any | null);
  'name': (string);
  'aliases': (string)[];
}
