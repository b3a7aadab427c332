// Original file: proto/spire/agent/debug/v1/agent_debug.proto

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from '../../../../spire/api/types/SPIFFEID.ts';
import type { Long } from '@grpc/proto-loader';

export interface _spire_agent_debug_v1_GetInfoResponse_CertInput {
  'id'?: (_spire_api_types_SPIFFEIDInput | null);
  'expires_at'?: (number | string | Long);
  'subject'?: (string);
}

export interface _spire_agent_debug_v1_GetInfoResponse_Cert {
  'id': (_spire_api_types_SPIFFEID | null);
  'expires_at': (number);
  'subject': (string);
}

export interface GetInfoResponseInput {
  'svid_chain'?: (_spire_agent_debug_v1_GetInfoResponse_CertInput)[];
  'uptime'?: (number);
  'svids_count'?: (number);
  'last_sync_success'?: (number | string | Long);
  'cached_x509_svids_count'?: (number);
  'cached_jwt_svids_count'?: (number);
  'cached_svidstore_x509_svids_count'?: (number);
}

export interface GetInfoResponse {
  'svid_chain': (_spire_agent_debug_v1_GetInfoResponse_Cert)[];
  'uptime': (number);
  'svids_count': (number);
  'last_sync_success': (number);
  'cached_x509_svids_count': (number);
  'cached_jwt_svids_count': (number);
  'cached_svidstore_x509_svids_count': (number);
}
