// Original file: proto/envoy/service/discovery/v3/discovery.proto

import type { AnyInput as _google_protobuf_AnyInput, Any as _google_protobuf_Any } from '../../../../google/protobuf/Any.ts';

export interface DiscoveryResponseInput {
  'version_info'?: (string);
  'resources'?: (_google_protobuf_AnyInput)[];
  'canary'?: (boolean);
  'type_url'?: (string);
  'nonce'?: (string);
}

export interface DiscoveryResponse {
  'version_info': (string);
  'resources': (_google_protobuf_Any)[];
  'canary': (boolean);
  'type_url': (string);
  'nonce': (string);
}
