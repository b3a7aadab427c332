// Original file: proto/envoy/config/core/v3/address.proto


export interface SocketAddressInput {
  'address'?: (string);
  'port_value'?: (number);
  'port_specifier'?: "port_value";
}

export interface SocketAddress {
  'address': (string);
  'port_value'?: (number);
  'port_specifier'?: "port_value";
}
