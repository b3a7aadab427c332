// Original file: proto/grpc/reflection/v1alpha/reflection_v1alpha.proto

import type { ServerReflectionRequestInput as _grpc_reflection_v1alpha_ServerReflectionRequestInput, ServerReflectionRequest as _grpc_reflection_v1alpha_ServerReflectionRequest } from '../../../grpc/reflection/v1alpha/ServerReflectionRequest.ts';
import type { FileDescriptorResponseInput as _grpc_reflection_v1alpha_FileDescriptorResponseInput, FileDescriptorResponse as _grpc_reflection_v1alpha_FileDescriptorResponse } from '../../../grpc/reflection/v1alpha/FileDescriptorResponse.ts';
import type { ExtensionNumberResponseInput as _grpc_reflection_v1alpha_ExtensionNumberResponseInput, ExtensionNumberResponse as _grpc_reflection_v1alpha_ExtensionNumberResponse } from '../../../grpc/reflection/v1alpha/ExtensionNumberResponse.ts';
import type { ListServiceResponseInput as _grpc_reflection_v1alpha_ListServiceResponseInput, ListServiceResponse as _grpc_reflection_v1alpha_ListServiceResponse } from '../../../grpc/reflection/v1alpha/ListServiceResponse.ts';
import type { ErrorResponseInput as _grpc_reflection_v1alpha_ErrorResponseInput, ErrorResponse as _grpc_reflection_v1alpha_ErrorResponse } from '../../../grpc/reflection/v1alpha/ErrorResponse.ts';

export interface ServerReflectionResponseInput {
  'valid_host'?: (string);
  'original_request'?: (_grpc_reflection_v1alpha_ServerReflectionRequestInput | null);
  'file_descriptor_response'?: (_grpc_reflection_v1alpha_FileDescriptorResponseInput | null);
  'all_extension_numbers_response'?: (_grpc_reflection_v1alpha_ExtensionNumberResponseInput | null);
  'list_services_response'?: (_grpc_reflection_v1alpha_ListServiceResponseInput | null);
  'error_response'?: (_grpc_reflection_v1alpha_ErrorResponseInput | null);
  'message_response'?: "file_descriptor_response"|"all_extension_numbers_response"|"list_services_response"|"error_response";
}

export interface ServerReflectionResponse {
  'valid_host': (string);
  'original_request': (_grpc_reflection_v1alpha_ServerReflectionRequest | null);
  'file_descriptor_response'?: (_grpc_reflection_v1alpha_FileDescriptorResponse | null);
  'all_extension_numbers_response'?: (_grpc_reflection_v1alpha_ExtensionNumberResponse | null);
  'list_services_response'?: (_grpc_reflection_v1alpha_ListServiceResponse | null);
  'error_response'?: (_grpc_reflection_v1alpha_ErrorResponse | null);
  'message_response'?: "file_descriptor_response"|"all_extension_numbers_response"|"list_services_response"|"error_response";
}
