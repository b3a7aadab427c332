// Original file: proto/spire/api/server/bundle/v1/bundle.proto

import type { X509CertificateInput as _spire_api_types_X509CertificateInput, X509Certificate as _spire_api_types_X509Certificate } from '../../../../../spire/api/types/X509Certificate.ts';
import type { JWTKeyInput as _spire_api_types_JWTKeyInput, JWTKey as _spire_api_types_JWTKey } from '../../../../../spire/api/types/JWTKey.ts';
import type { BundleMaskInput as _spire_api_types_BundleMaskInput, BundleMask as _spire_api_types_BundleMask } from '../../../../../spire/api/types/BundleMask.ts';
import type { WITKeyInput as _spire_api_types_WITKeyInput, WITKey as _spire_api_types_WITKey } from '../../../../../spire/api/types/WITKey.ts';

export interface AppendBundleRequestInput {
  'x509_authorities'?: (_spire_api_types_X509CertificateInput)[];
  'jwt_authorities'?: (_spire_api_types_JWTKeyInput)[];
  'output_mask'?: (_spire_api_types_BundleMaskInput | null);
  'wit_authorities'?: (_spire_api_types_WITKeyInput)[];
}

export interface AppendBundleRequest {
  'x509_authorities': (_spire_api_types_X509Certificate)[];
  'jwt_authorities': (_spire_api_types_JWTKey)[];
  'output_mask': (_spire_api_types_BundleMask | null);
  'wit_authorities': (_spire_api_types_WITKey)[];
}
