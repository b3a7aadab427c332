// Original file: proto/envoy/extensions/transport_sockets/tls/v3/common.proto

import type { DataSourceInput as _envoy_config_core_v3_DataSourceInput, DataSource as _envoy_config_core_v3_DataSource } from '../../../../../envoy/config/core/v3/DataSource.ts';
import type { TypedExtensionConfigInput as _envoy_config_core_v3_TypedExtensionConfigInput, TypedExtensionConfig as _envoy_config_core_v3_TypedExtensionConfig } from '../../../../../envoy/config/core/v3/TypedExtensionConfig.ts';

export interface CertificateValidationContextInput {
  'trusted_ca'?: (_envoy_config_core_v3_DataSourceInput | null);
  'custom_validator_config'?: (_envoy_config_core_v3_TypedExtensionConfigInput | null);
}

export interface CertificateValidationContext {
  'trusted_ca': (_envoy_config_core_v3_DataSource | null);
  'custom_validator_config': (_envoy_config_core_v3_TypedExtensionConfig | null);
}
