// Original file: proto/workload/workload.proto


export interface WITBundlesRequestInput {
}

export interface WITBundlesRequest {
}
