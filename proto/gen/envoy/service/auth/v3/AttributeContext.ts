// Original file: proto/envoy/service/auth/v3/attribute_context.proto

import type { AddressInput as _envoy_config_core_v3_AddressInput, Address as _envoy_config_core_v3_Address } from '../../../../envoy/config/core/v3/Address.ts';
import type { TimestampInput as _google_protobuf_TimestampInput, Timestamp as _google_protobuf_Timestamp } from '../../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface _envoy_service_auth_v3_AttributeContext_HttpRequestInput {
  'id'?: (string);
  'method'?: (string);
  'headers'?: ({[key: string]: string});
  'path'?: (string);
  'host'?: (string);
  'scheme'?: (string);
  'size'?: (number | string | Long);
  'protocol'?: (string);
}

export interface _envoy_service_auth_v3_AttributeContext_HttpRequest {
  'id': (string);
  'method': (string);
  'headers': ({[key: string]: string});
  'path': (string);
  'host': (string);
  'scheme': (string);
  'size': (number);
  'protocol': (string);
}

export interface _envoy_service_auth_v3_AttributeContext_PeerInput {
  'address'?: (_envoy_config_core_v3_AddressInput | null);
  'principal'?: (string);
}

export interface _envoy_service_auth_v3_AttributeContext_Peer {
  'address': (_envoy_config_core_v3_Address | null);
  'principal': (string);
}

export interface _envoy_service_auth_v3_AttributeContext_RequestInput {
  'time'?: (_google_protobuf_TimestampInput | null);
  'http'?: (_envoy_service_auth_v3_AttributeContext_HttpRequestInput | null);
}

export interface _envoy_service_auth_v3_AttributeContext_Request {
  'time': (_google_protobuf_Timestamp | null);
  'http': (_envoy_service_auth_v3_AttributeContext_HttpRequest | null);
}

export interface _envoy_service_auth_v3_AttributeContext_TLSSessionInput {
  'sni'?: (string);
}

export interface _envoy_service_auth_v3_AttributeContext_TLSSession {
  'sni': (string);
}

export interface AttributeContextInput {
  'source'?: (_envoy_service_auth_v3_AttributeContext_PeerInput | null);
  'destination'?: (_envoy_service_auth_v3_AttributeContext_PeerInput | null);
  'request'?: (_envoy_service_auth_v3_AttributeContext_RequestInput | null);
  'tls_session'?: (_envoy_service_auth_v3_AttributeContext_TLSSessionInput | null);
}

export interface AttributeContext {
  'source': (_envoy_service_auth_v3_AttributeContext_Peer | null);
  'destination': (_envoy_service_auth_v3_AttributeContext_Peer | null);
  'request': (_envoy_service_auth_v3_AttributeContext_Request | null);
  'tls_session': (_envoy_service_auth_v3_AttributeContext_TLSSession | null);
}
