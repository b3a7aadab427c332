// Original file: proto/grpc/reflection/v1/reflection.proto


export interface ServiceResponseInput {
  'name'?: (string);
}

export interface ServiceResponse {
  'name': (string);
}
