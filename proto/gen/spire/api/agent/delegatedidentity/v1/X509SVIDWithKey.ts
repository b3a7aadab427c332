// Original file: proto/spire/api/agent/delegatedidentity/v1/delegated_identity.proto

import type { X509SVIDInput as _spire_api_types_X509SVIDInput, X509SVID as _spire_api_types_X509SVID } from '../../../../../spire/api/types/X509SVID.ts';

export interface X509SVIDWithKeyInput {
  'x509_svid'?: (_spire_api_types_X509SVIDInput | null);
  'x509_svid_key'?: (Buffer | Uint8Array | string);
}

export interface X509SVIDWithKey {
  'x509_svid': (_spire_api_types_X509SVID | null);
  'x509_svid_key': (Buffer);
}
