// Original file: proto/workload/workload.proto


export interface X509SVIDRequestInput {
}

export interface X509SVIDRequest {
}
