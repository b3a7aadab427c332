// Original file: proto/envoy/type/v3/http_status.proto


export interface HttpStatusInput {
  'code'?: (number);
}

export interface HttpStatus {
  'code': (number);
}
