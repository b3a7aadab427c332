// Original file: proto/spire/api/agent/delegatedidentity/v1/delegated_identity.proto


export interface SubscribeToJWTBundlesResponseInput {
  'bundles'?: ({[key: string]: Buffer | Uint8Array | string});
}

export interface SubscribeToJWTBundlesResponse {
  'bundles': ({[key: string]: Buffer});
}
