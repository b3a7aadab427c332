// Original file: proto/spire/api/agent/delegatedidentity/v1/delegated_identity.proto


export interface SubscribeToX509BundlesResponseInput {
  'ca_certificates'?: ({[key: string]: Buffer | Uint8Array | string});
}

export interface SubscribeToX509BundlesResponse {
  'ca_certificates': ({[key: string]: Buffer});
}
