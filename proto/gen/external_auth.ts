import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AddressInput as _envoy_config_core_v3_AddressInput, Address as _envoy_config_core_v3_Address } from './envoy/config/core/v3/Address.ts';
import type { BuildVersionInput as _envoy_config_core_v3_BuildVersionInput, BuildVersion as _envoy_config_core_v3_BuildVersion } from './envoy/config/core/v3/BuildVersion.ts';
import type { DataSourceInput as _envoy_config_core_v3_DataSourceInput, DataSource as _envoy_config_core_v3_DataSource } from './envoy/config/core/v3/DataSource.ts';
import type { HeaderValueInput as _envoy_config_core_v3_HeaderValueInput, HeaderValue as _envoy_config_core_v3_HeaderValue } from './envoy/config/core/v3/HeaderValue.ts';
import type { HeaderValueOptionInput as _envoy_config_core_v3_HeaderValueOptionInput, HeaderValueOption as _envoy_config_core_v3_HeaderValueOption } from './envoy/config/core/v3/HeaderValueOption.ts';
import type { NodeInput as _envoy_config_core_v3_NodeInput, Node as _envoy_config_core_v3_Node } from './envoy/config/core/v3/Node.ts';
import type { SocketAddressInput as _envoy_config_core_v3_SocketAddressInput, SocketAddress as _envoy_config_core_v3_SocketAddress } from './envoy/config/core/v3/SocketAddress.ts';
import type { AttributeContextInput as _envoy_service_auth_v3_AttributeContextInput, AttributeContext as _envoy_service_auth_v3_AttributeContext } from './envoy/service/auth/v3/AttributeContext.ts';
import type { AuthorizationClient as _envoy_service_auth_v3_AuthorizationClient, AuthorizationDefinition as _envoy_service_auth_v3_AuthorizationDefinition } from './envoy/service/auth/v3/Authorization.ts';
import type { CheckRequestInput as _envoy_service_auth_v3_CheckRequestInput, CheckRequest as _envoy_service_auth_v3_CheckRequest } from './envoy/service/auth/v3/CheckRequest.ts';
import type { CheckResponseInput as _envoy_service_auth_v3_CheckResponseInput, CheckResponse as _envoy_service_auth_v3_CheckResponse } from './envoy/service/auth/v3/CheckResponse.ts';
import type { DeniedHttpResponseInput as _envoy_service_auth_v3_DeniedHttpResponseInput, DeniedHttpResponse as _envoy_service_auth_v3_DeniedHttpResponse } from './envoy/service/auth/v3/DeniedHttpResponse.ts';
import type { OkHttpResponseInput as _envoy_service_auth_v3_OkHttpResponseInput, OkHttpResponse as _envoy_service_auth_v3_OkHttpResponse } from './envoy/service/auth/v3/OkHttpResponse.ts';
import type { HttpStatusInput as _envoy_type_v3_HttpStatusInput, HttpStatus as _envoy_type_v3_HttpStatus } from './envoy/type/v3/HttpStatus.ts';
import type { SemanticVersionInput as _envoy_type_v3_SemanticVersionInput, SemanticVersion as _envoy_type_v3_SemanticVersion } from './envoy/type/v3/SemanticVersion.ts';
import type { AnyInput as _google_protobuf_AnyInput, Any as _google_protobuf_Any } from './google/protobuf/Any.ts';
import type { BoolValueInput as _google_protobuf_BoolValueInput, BoolValue as _google_protobuf_BoolValue } from './google/protobuf/BoolValue.ts';
import type { BytesValueInput as _google_protobuf_BytesValueInput, BytesValue as _google_protobuf_BytesValue } from './google/protobuf/BytesValue.ts';
import type { DoubleValueInput as _google_protobuf_DoubleValueInput, DoubleValue as _google_protobuf_DoubleValue } from './google/protobuf/DoubleValue.ts';
import type { FloatValueInput as _google_protobuf_FloatValueInput, FloatValue as _google_protobuf_FloatValue } from './google/protobuf/FloatValue.ts';
import type { Int32ValueInput as _google_protobuf_Int32ValueInput, Int32Value as _google_protobuf_Int32Value } from './google/protobuf/Int32Value.ts';
import type { Int64ValueInput as _google_protobuf_Int64ValueInput, Int64Value as _google_protobuf_Int64Value } from './google/protobuf/Int64Value.ts';
import type { ListValueInput as _google_protobuf_ListValueInput, ListValue as _google_protobuf_ListValue } from './google/protobuf/ListValue.ts';
import type { StringValueInput as _google_protobuf_StringValueInput, StringValue as _google_protobuf_StringValue } from './google/protobuf/StringValue.ts';
import type { StructInput as _google_protobuf_StructInput, Struct as _google_protobuf_Struct } from './google/protobuf/Struct.ts';
import type { TimestampInput as _google_protobuf_TimestampInput, Timestamp as _google_protobuf_Timestamp } from './google/protobuf/Timestamp.ts';
import type { UInt32ValueInput as _google_protobuf_UInt32ValueInput, UInt32Value as _google_protobuf_UInt32Value } from './google/protobuf/UInt32Value.ts';
import type { UInt64ValueInput as _google_protobuf_UInt64ValueInput, UInt64Value as _google_protobuf_UInt64Value } from './google/protobuf/UInt64Value.ts';
import type { ValueInput as _google_protobuf_ValueInput, Value as _google_protobuf_Value } from './google/protobuf/Value.ts';
import type { StatusInput as _google_rpc_StatusInput, Status as _google_rpc_Status } from './google/rpc/Status.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  envoy: {
    config: {
      core: {
        v3: {
          Address: MessageTypeDefinition<_envoy_config_core_v3_AddressInput, _envoy_config_core_v3_Address>
          BuildVersion: MessageTypeDefinition<_envoy_config_core_v3_BuildVersionInput, _envoy_config_core_v3_BuildVersion>
          DataSource: MessageTypeDefinition<_envoy_config_core_v3_DataSourceInput, _envoy_config_core_v3_DataSource>
          HeaderValue: MessageTypeDefinition<_envoy_config_core_v3_HeaderValueInput, _envoy_config_core_v3_HeaderValue>
          HeaderValueOption: MessageTypeDefinition<_envoy_config_core_v3_HeaderValueOptionInput, _envoy_config_core_v3_HeaderValueOption>
          Node: MessageTypeDefinition<_envoy_config_core_v3_NodeInput, _envoy_config_core_v3_Node>
          SocketAddress: MessageTypeDefinition<_envoy_config_core_v3_SocketAddressInput, _envoy_config_core_v3_SocketAddress>
        }
      }
    }
    service: {
      auth: {
        v3: {
          AttributeContext: MessageTypeDefinition<_envoy_service_auth_v3_AttributeContextInput, _envoy_service_auth_v3_AttributeContext>
          Authorization: SubtypeConstructor<typeof grpc.Client, _envoy_service_auth_v3_AuthorizationClient> & { service: _envoy_service_auth_v3_AuthorizationDefinition }
          CheckRequest: MessageTypeDefinition<_envoy_service_auth_v3_CheckRequestInput, _envoy_service_auth_v3_CheckRequest>
          CheckResponse: MessageTypeDefinition<_envoy_service_auth_v3_CheckResponseInput, _envoy_service_auth_v3_CheckResponse>
          DeniedHttpResponse: MessageTypeDefinition<_envoy_service_auth_v3_DeniedHttpResponseInput, _envoy_service_auth_v3_DeniedHttpResponse>
          OkHttpResponse: MessageTypeDefinition<_envoy_service_auth_v3_OkHttpResponseInput, _envoy_service_auth_v3_OkHttpResponse>
        }
      }
    }
    type: {
      v3: {
        HttpStatus: MessageTypeDefinition<_envoy_type_v3_HttpStatusInput, _envoy_type_v3_HttpStatus>
        SemanticVersion: MessageTypeDefinition<_envoy_type_v3_SemanticVersionInput, _envoy_type_v3_SemanticVersion>
      }
    }
  }
  google: {
    protobuf: {
      Any: MessageTypeDefinition<_google_protobuf_AnyInput, _google_protobuf_Any>
      BoolValue: MessageTypeDefinition<_google_protobuf_BoolValueInput, _google_protobuf_BoolValue>
      BytesValue: MessageTypeDefinition<_google_protobuf_BytesValueInput, _google_protobuf_BytesValue>
      DoubleValue: MessageTypeDefinition<_google_protobuf_DoubleValueInput, _google_protobuf_DoubleValue>
      FloatValue: MessageTypeDefinition<_google_protobuf_FloatValueInput, _google_protobuf_FloatValue>
      Int32Value: MessageTypeDefinition<_google_protobuf_Int32ValueInput, _google_protobuf_Int32Value>
      Int64Value: MessageTypeDefinition<_google_protobuf_Int64ValueInput, _google_protobuf_Int64Value>
      ListValue: MessageTypeDefinition<_google_protobuf_ListValueInput, _google_protobuf_ListValue>
      NullValue: EnumTypeDefinition
      StringValue: MessageTypeDefinition<_google_protobuf_StringValueInput, _google_protobuf_StringValue>
      Struct: MessageTypeDefinition<_google_protobuf_StructInput, _google_protobuf_Struct>
      Timestamp: MessageTypeDefinition<_google_protobuf_TimestampInput, _google_protobuf_Timestamp>
      UInt32Value: MessageTypeDefinition<_google_protobuf_UInt32ValueInput, _google_protobuf_UInt32Value>
      UInt64Value: MessageTypeDefinition<_google_protobuf_UInt64ValueInput, _google_protobuf_UInt64Value>
      Value: MessageTypeDefinition<_google_protobuf_ValueInput, _google_protobuf_Value>
    }
    rpc: {
      Status: MessageTypeDefinition<_google_rpc_StatusInput, _google_rpc_Status>
    }
  }
}

