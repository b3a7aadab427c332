// Original file: proto/workload/workload.proto


export interface JWTBundlesRequestInput {
}

export interface JWTBundlesRequest {
}
