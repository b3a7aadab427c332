// Original file: proto/envoy/extensions/transport_sockets/tls/v3/tls_spiffe_validator_config.proto

import type { DataSourceInput as _envoy_config_core_v3_DataSourceInput, DataSource as _envoy_config_core_v3_DataSource } from '../../../../../envoy/config/core/v3/DataSource.ts';

export interface _envoy_extensions_transport_sockets_tls_v3_SPIFFECertValidatorConfig_TrustDomainInput {
  'name'?: (string);
  'trust_bundle'?: (_envoy_config_core_v3_DataSourceInput | null);
}

export interface _envoy_extensions_transport_sockets_tls_v3_SPIFFECertValidatorConfig_TrustDomain {
  'name': (string);
  'trust_bundle': (_envoy_config_core_v3_DataSource | null);
}

export interface SPIFFECertValidatorConfigInput {
  'trust_domains'?: (_envoy_extensions_transport_sockets_tls_v3_SPIFFECertValidatorConfig_TrustDomainInput)[];
}

export interface SPIFFECertValidatorConfig {
  'trust_domains': (_envoy_extensions_transport_sockets_tls_v3_SPIFFECertValidatorConfig_TrustDomain)[];
}
