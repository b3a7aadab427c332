// Original file: proto/grpc/reflection/v1alpha/reflection_v1alpha.proto


export interface ExtensionNumberResponseInput {
  'base_type_name'?: (string);
  'extension_number'?: (number)[];
}

export interface ExtensionNumberResponse {
  'base_type_name': (string);
  'extension_number': (number)[];
}
