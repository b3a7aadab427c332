// Original file: proto/spire/api/server/debug/v1/debug.proto

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from '../../../../../spire/api/types/SPIFFEID.ts';
import type { Long } from '@grpc/proto-loader';

export interface _spire_api_server_debug_v1_GetInfoResponse_CertInput {
  'id'?: (_spire_api_types_SPIFFEIDInput | null);
  'expires_at'?: (number | string | Long);
  'subject'?: (string);
}

export interface _spire_api_server_debug_v1_GetInfoResponse_Cert {
  'id': (_spire_api_types_SPIFFEID | null);
  'expires_at': (number);
  'subject': (string);
}

export interface GetInfoResponseInput {
  'svid_chain'?: (_spire_api_server_debug_v1_GetInfoResponse_CertInput)[];
  'uptime'?: (number);
  'agents_count'?: (number);
  'federated_bundles_count'?: (number);
  'entries_count'?: (number);
}

export interface GetInfoResponse {
  'svid_chain': (_spire_api_server_debug_v1_GetInfoResponse_Cert)[];
  'uptime': (number);
  'agents_count': (number);
  'federated_bundles_count': (number);
  'entries_count': (number);
}
