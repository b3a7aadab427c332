// Original file: proto/grpc/reflection/v1alpha/reflection_v1alpha.proto

import type { ExtensionRequestInput as _grpc_reflection_v1alpha_ExtensionRequestInput, ExtensionRequest as _grpc_reflection_v1alpha_ExtensionRequest } from '../../../grpc/reflection/v1alpha/ExtensionRequest.ts';

export interface ServerReflectionRequestInput {
  'host'?: (string);
  'file_by_filename'?: (string);
  'file_containing_symbol'?: (string);
  'file_containing_extension'?: (_grpc_reflection_v1alpha_ExtensionRequestInput | null);
  'all_extension_numbers_of_type'?: (string);
  'list_services'?: (string);
  'message_request'?: "file_by_filename"|"file_containing_symbol"|"file_containing_extension"|"all_extension_numbers_of_type"|"list_services";
}

export interface ServerReflectionRequest {
  'host': (string);
  'file_by_filename'?: (string);
  'file_containing_symbol'?: (string);
  'file_containing_extension'?: (_grpc_reflection_v1alpha_ExtensionRequest | null);
  'all_extension_numbers_of_type'?: (string);
  'list_services'?: (string);
  'message_request'?: "file_by_filename"|"file_containing_symbol"|"file_containing_extension"|"all_extension_numbers_of_type"|"list_services";
}
