// Original file: proto/grpc/reflection/v1alpha/reflection_v1alpha.proto

import type { ServiceResponseInput as _grpc_reflection_v1alpha_ServiceResponseInput, ServiceResponse as _grpc_reflection_v1alpha_ServiceResponse } from '../../../grpc/reflection/v1alpha/ServiceResponse.ts';

export interface ListServiceResponseInput {
  'service'?: (_grpc_reflection_v1alpha_ServiceResponseInput)[];
}

export interface ListServiceResponse {
  'service': (_grpc_reflection_v1alpha_ServiceResponse)[];
}
