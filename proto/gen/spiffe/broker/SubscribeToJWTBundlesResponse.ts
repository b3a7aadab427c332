// Original file: proto/spiffe/broker/broker.proto


export interface SubscribeToJWTBundlesResponseInput {
  'bundles'?: ({[key: string]: Buffer | Uint8Array | string});
}

export interface SubscribeToJWTBundlesResponse {
  'bundles': ({[key: string]: Buffer});
}
