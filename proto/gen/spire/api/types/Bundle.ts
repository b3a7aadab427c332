// Original file: proto/spire/api/types/bundle.proto

import type { X509CertificateInput as _spire_api_types_X509CertificateInput, X509Certificate as _spire_api_types_X509Certificate } from '../../../spire/api/types/X509Certificate.ts';
import type { JWTKeyInput as _spire_api_types_JWTKeyInput, JWTKey as _spire_api_types_JWTKey } from '../../../spire/api/types/JWTKey.ts';
import type { WITKeyInput as _spire_api_types_WITKeyInput, WITKey as _spire_api_types_WITKey } from '../../../spire/api/types/WITKey.ts';
import type { Long } from '@grpc/proto-loader';

export interface BundleInput {
  'trust_domain'?: (string);
  'x509_authorities'?: (_spire_api_types_X509CertificateInput)[];
  'jwt_authorities'?: (_spire_api_types_JWTKeyInput)[];
  'refresh_hint'?: (number | string | Long);
  'sequence_number'?: (number | string | Long);
  'wit_authorities'?: (_spire_api_types_WITKeyInput)[];
}

export interface Bundle {
  'trust_domain': (string);
  'x509_authorities': (_spire_api_types_X509Certificate)[];
  'jwt_authorities': (_spire_api_types_JWTKey)[];
  'refresh_hint': (number);
  'sequence_number': (number);
  'wit_authorities': (_spire_api_types_WITKey)[];
}
