// Original file: proto/spire/api/agent/delegatedidentity/v1/delegated_identity.proto


export interface SubscribeToX509BundlesRequestInput {
}

export interface SubscribeToX509BundlesRequest {
}
