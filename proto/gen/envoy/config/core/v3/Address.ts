// Original file: proto/envoy/config/core/v3/address.proto

import type { SocketAddressInput as _envoy_config_core_v3_SocketAddressInput, SocketAddress as _envoy_config_core_v3_SocketAddress } from '../../../../envoy/config/core/v3/SocketAddress.ts';

export interface AddressInput {
  'socket_address'?: (_envoy_config_core_v3_SocketAddressInput | null);
  'address'?: "socket_address";
}

export interface Address {
  'socket_address'?: (_envoy_config_core_v3_SocketAddress | null);
  'address'?: "socket_address";
}
