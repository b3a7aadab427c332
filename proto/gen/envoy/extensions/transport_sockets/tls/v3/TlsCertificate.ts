// Original file: proto/envoy/extensions/transport_sockets/tls/v3/common.proto

import type { DataSourceInput as _envoy_config_core_v3_DataSourceInput, DataSource as _envoy_config_core_v3_DataSource } from '../../../../../envoy/config/core/v3/DataSource.ts';

export interface TlsCertificateInput {
  'certificate_chain'?: (_envoy_config_core_v3_DataSourceInput | null);
  'private_key'?: (_envoy_config_core_v3_DataSourceInput | null);
}

export interface TlsCertificate {
  'certificate_chain': (_envoy_config_core_v3_DataSource | null);
  'private_key': (_envoy_config_core_v3_DataSource | null);
}
