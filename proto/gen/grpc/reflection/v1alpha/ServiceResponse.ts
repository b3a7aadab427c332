// Original file: proto/grpc/reflection/v1alpha/reflection_v1alpha.proto


export interface ServiceResponseInput {
  'name'?: (string);
}

export interface ServiceResponse {
  'name': (string);
}
