// Original file: proto/workload/workload.proto


export interface ValidateJWTSVIDRequestInput {
  'audience'?: (string);
  'svid'?: (string);
}

export interface ValidateJWTSVIDRequest {
  'audience': (string);
  'svid': (string);
}
