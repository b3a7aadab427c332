// Original file: proto/spiffe/broker/broker.proto


export interface SubscribeToX509BundlesResponseInput {
  'crl'?: (Buffer | Uint8Array | string)[];
  'bundles'?: ({[key: string]: Buffer | Uint8Array | string});
}

export interface SubscribeToX509BundlesResponse {
  'crl': (Buffer)[];
  'bundles': ({[key: string]: Buffer});
}
