import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ErrorResponseInput as _grpc_reflection_v1alpha_ErrorResponseInput, ErrorResponse as _grpc_reflection_v1alpha_ErrorResponse } from './grpc/reflection/v1alpha/ErrorResponse.ts';
import type { ExtensionNumberResponseInput as _grpc_reflection_v1alpha_ExtensionNumberResponseInput, ExtensionNumberResponse as _grpc_reflection_v1alpha_ExtensionNumberResponse } from './grpc/reflection/v1alpha/ExtensionNumberResponse.ts';
import type { ExtensionRequestInput as _grpc_reflection_v1alpha_ExtensionRequestInput, ExtensionRequest as _grpc_reflection_v1alpha_ExtensionRequest } from './grpc/reflection/v1alpha/ExtensionRequest.ts';
import type { FileDescriptorResponseInput as _grpc_reflection_v1alpha_FileDescriptorResponseInput, FileDescriptorResponse as _grpc_reflection_v1alpha_FileDescriptorResponse } from './grpc/reflection/v1alpha/FileDescriptorResponse.ts';
import type { ListServiceResponseInput as _grpc_reflection_v1alpha_ListServiceResponseInput, ListServiceResponse as _grpc_reflection_v1alpha_ListServiceResponse } from './grpc/reflection/v1alpha/ListServiceResponse.ts';
import type { ServerReflectionClient as _grpc_reflection_v1alpha_ServerReflectionClient, ServerReflectionDefinition as _grpc_reflection_v1alpha_ServerReflectionDefinition } from './grpc/reflection/v1alpha/ServerReflection.ts';
import type { ServerReflectionRequestInput as _grpc_reflection_v1alpha_ServerReflectionRequestInput, ServerReflectionRequest as _grpc_reflection_v1alpha_ServerReflectionRequest } from './grpc/reflection/v1alpha/ServerReflectionRequest.ts';
import type { ServerReflectionResponseInput as _grpc_reflection_v1alpha_ServerReflectionResponseInput, ServerReflectionResponse as _grpc_reflection_v1alpha_ServerReflectionResponse } from './grpc/reflection/v1alpha/ServerReflectionResponse.ts';
import type { ServiceResponseInput as _grpc_reflection_v1alpha_ServiceResponseInput, ServiceResponse as _grpc_reflection_v1alpha_ServiceResponse } from './grpc/reflection/v1alpha/ServiceResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  grpc: {
    reflection: {
      v1alpha: {
        ErrorResponse: MessageTypeDefinition<_grpc_reflection_v1alpha_ErrorResponseInput, _grpc_reflection_v1alpha_ErrorResponse>
        ExtensionNumberResponse: MessageTypeDefinition<_grpc_reflection_v1alpha_ExtensionNumberResponseInput, _grpc_reflection_v1alpha_ExtensionNumberResponse>
        ExtensionRequest: MessageTypeDefinition<_grpc_reflection_v1alpha_ExtensionRequestInput, _grpc_reflection_v1alpha_ExtensionRequest>
        FileDescriptorResponse: MessageTypeDefinition<_grpc_reflection_v1alpha_FileDescriptorResponseInput, _grpc_reflection_v1alpha_FileDescriptorResponse>
        ListServiceResponse: MessageTypeDefinition<_grpc_reflection_v1alpha_ListServiceResponseInput, _grpc_reflection_v1alpha_ListServiceResponse>
        ServerReflection: SubtypeConstructor<typeof grpc.Client, _grpc_reflection_v1alpha_ServerReflectionClient> & { service: _grpc_reflection_v1alpha_ServerReflectionDefinition }
        ServerReflectionRequest: MessageTypeDefinition<_grpc_reflection_v1alpha_ServerReflectionRequestInput, _grpc_reflection_v1alpha_ServerReflectionRequest>
        ServerReflectionResponse: MessageTypeDefinition<_grpc_reflection_v1alpha_ServerReflectionResponseInput, _grpc_reflection_v1alpha_ServerReflectionResponse>
        ServiceResponse: MessageTypeDefinition<_grpc_reflection_v1alpha_ServiceResponseInput, _grpc_reflection_v1alpha_ServiceResponse>
      }
    }
  }
}

