// Original file: proto/envoy/extensions/transport_sockets/tls/v3/secret.proto

import type { TlsCertificateInput as _envoy_extensions_transport_sockets_tls_v3_TlsCertificateInput, TlsCertificate as _envoy_extensions_transport_sockets_tls_v3_TlsCertificate } from '../../../../../envoy/extensions/transport_sockets/tls/v3/TlsCertificate.ts';
import type { CertificateValidationContextInput as _envoy_extensions_transport_sockets_tls_v3_CertificateValidationContextInput, CertificateValidationContext as _envoy_extensions_transport_sockets_tls_v3_CertificateValidationContext } from '../../../../../envoy/extensions/transport_sockets/tls/v3/CertificateValidationContext.ts';

export interface SecretInput {
  'name'?: (string);
  'tls_certificate'?: (_envoy_extensions_transport_sockets_tls_v3_TlsCertificateInput | null);
  'validation_context'?: (_envoy_extensions_transport_sockets_tls_v3_CertificateValidationContextInput | null);
  'type'?: "tls_certificate"|"validation_context";
}

export interface Secret {
  'name': (string);
  'tls_certificate'?: (_envoy_extensions_transport_sockets_tls_v3_TlsCertificate | null);
  'validation_context'?: (_envoy_extensions_transport_sockets_tls_v3_CertificateValidationContext | null);
  'type'?: "tls_certificate"|"validation_context";
}
