// Original file: proto/spire/api/agent/delegatedidentity/v1/delegated_identity.proto


export interface SubscribeToJWTBundlesRequestInput {
}

export interface SubscribeToJWTBundlesRequest {
}
