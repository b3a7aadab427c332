// Original file: proto/workload/workload.proto


export interface X509BundlesRequestInput {
}

export interface X509BundlesRequest {
}
