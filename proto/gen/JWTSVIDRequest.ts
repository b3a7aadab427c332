// Original file: proto/workload/workload.proto


export interface JWTSVIDRequestInput {
  'audience'?: (string)[];
  'spiffe_id'?: (string);
}

export interface JWTSVIDRequest {
  'audience': (string)[];
  'spiffe_id': (string);
}
