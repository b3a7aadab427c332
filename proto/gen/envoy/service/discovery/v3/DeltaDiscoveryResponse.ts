// Original file: proto/envoy/service/discovery/v3/discovery.proto

import type { ResourceInput as _envoy_service_discovery_v3_ResourceInput, Resource as _envoy_service_discovery_v3_Resource } from '../../../../envoy/service/discovery/v3/Resource.ts';

export interface DeltaDiscoveryResponseInput {
  'system_version_info'?: (string);
  'resources'?: (_envoy_service_discovery_v3_ResourceInput)[];
  'type_url'?: (string);
  'nonce'?: (string);
  'removed_resources'?: (string)[];
}

export interface DeltaDiscoveryResponse {
  'system_version_info': (string);
  'resources': (_envoy_service_discovery_v3_Resource)[];
  'type_url': (string);
  'nonce': (string);
  'removed_resources': (string)[];
}
