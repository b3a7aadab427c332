// Original file: proto/workload/workload.proto


export interface WITSVIDRequestInput {
  'spiffe_id'?: (string);
}

export interface WITSVIDRequest {
  'spiffe_id': (string);
}
