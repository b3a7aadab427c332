import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { BuildVersionInput as _envoy_config_core_v3_BuildVersionInput, BuildVersion as _envoy_config_core_v3_BuildVersion } from './envoy/config/core/v3/BuildVersion.ts';
import type { DataSourceInput as _envoy_config_core_v3_DataSourceInput, DataSource as _envoy_config_core_v3_DataSource } from './envoy/config/core/v3/DataSource.ts';
import type { HeaderValueInput as _envoy_config_core_v3_HeaderValueInput, HeaderValue as _envoy_config_core_v3_HeaderValue } from './envoy/config/core/v3/HeaderValue.ts';
import type { HeaderValueOptionInput as _envoy_config_core_v3_HeaderValueOptionInput, HeaderValueOption as _envoy_config_core_v3_HeaderValueOption } from './envoy/config/core/v3/HeaderValueOption.ts';
import type { NodeInput as _envoy_config_core_v3_NodeInput, Node as _envoy_config_core_v3_Node } from './envoy/config/core/v3/Node.ts';
import type { TypedExtensionConfigInput as _envoy_config_core_v3_TypedExtensionConfigInput, TypedExtensionConfig as _envoy_config_core_v3_TypedExtensionConfig } from './envoy/config/core/v3/TypedExtensionConfig.ts';
import type { CertificateValidationContextInput as _envoy_extensions_transport_sockets_tls_v3_CertificateValidationContextInput, CertificateValidationContext as _envoy_extensions_transport_sockets_tls_v3_CertificateValidationContext } from './envoy/extensions/transport_sockets/tls/v3/CertificateValidationContext.ts';
import type { SPIFFECertValidatorConfigInput as _envoy_extensions_transport_sockets_tls_v3_SPIFFECertValidatorConfigInput, SPIFFECertValidatorConfig as _envoy_extensions_transport_sockets_tls_v3_SPIFFECertValidatorConfig } from './envoy/extensions/transport_sockets/tls/v3/SPIFFECertValidatorConfig.ts';
import type { SecretInput as _envoy_extensions_transport_sockets_tls_v3_SecretInput, Secret as _envoy_extensions_transport_sockets_tls_v3_Secret } from './envoy/extensions/transport_sockets/tls/v3/Secret.ts';
import type { TlsCertificateInput as _envoy_extensions_transport_sockets_tls_v3_TlsCertificateInput, TlsCertificate as _envoy_extensions_transport_sockets_tls_v3_TlsCertificate } from './envoy/extensions/transport_sockets/tls/v3/TlsCertificate.ts';
import type { DeltaDiscoveryRequestInput as _envoy_service_discovery_v3_DeltaDiscoveryRequestInput, DeltaDiscoveryRequest as _envoy_service_discovery_v3_DeltaDiscoveryRequest } from './envoy/service/discovery/v3/DeltaDiscoveryRequest.ts';
import type { DeltaDiscoveryResponseInput as _envoy_service_discovery_v3_DeltaDiscoveryResponseInput, DeltaDiscoveryResponse as _envoy_service_discovery_v3_DeltaDiscoveryResponse } from './envoy/service/discovery/v3/DeltaDiscoveryResponse.ts';
import type { DiscoveryRequestInput as _envoy_service_discovery_v3_DiscoveryRequestInput, DiscoveryRequest as _envoy_service_discovery_v3_DiscoveryRequest } from './envoy/service/discovery/v3/DiscoveryRequest.ts';
import type { DiscoveryResponseInput as _envoy_service_discovery_v3_DiscoveryResponseInput, DiscoveryResponse as _envoy_service_discovery_v3_DiscoveryResponse } from './envoy/service/discovery/v3/DiscoveryResponse.ts';
import type { ResourceInput as _envoy_service_discovery_v3_ResourceInput, Resource as _envoy_service_discovery_v3_Resource } from './envoy/service/discovery/v3/Resource.ts';
import type { SecretDiscoveryServiceClient as _envoy_service_secret_v3_SecretDiscoveryServiceClient, SecretDiscoveryServiceDefinition as _envoy_service_secret_v3_SecretDiscoveryServiceDefinition } from './envoy/service/secret/v3/SecretDiscoveryService.ts';
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
          BuildVersion: MessageTypeDefinition<_envoy_config_core_v3_BuildVersionInput, _envoy_config_core_v3_BuildVersion>
          DataSource: MessageTypeDefinition<_envoy_config_core_v3_DataSourceInput, _envoy_config_core_v3_DataSource>
          HeaderValue: MessageTypeDefinition<_envoy_config_core_v3_HeaderValueInput, _envoy_config_core_v3_HeaderValue>
          HeaderValueOption: MessageTypeDefinition<_envoy_config_core_v3_HeaderValueOptionInput, _envoy_config_core_v3_HeaderValueOption>
          Node: MessageTypeDefinition<_envoy_config_core_v3_NodeInput, _envoy_config_core_v3_Node>
          TypedExtensionConfig: MessageTypeDefinition<_envoy_config_core_v3_TypedExtensionConfigInput, _envoy_config_core_v3_TypedExtensionConfig>
        }
      }
    }
    extensions: {
      transport_sockets: {
        tls: {
          v3: {
            CertificateValidationContext: MessageTypeDefinition<_envoy_extensions_transport_sockets_tls_v3_CertificateValidationContextInput, _envoy_extensions_transport_sockets_tls_v3_CertificateValidationContext>
            SPIFFECertValidatorConfig: MessageTypeDefinition<_envoy_extensions_transport_sockets_tls_v3_SPIFFECertValidatorConfigInput, _envoy_extensions_transport_sockets_tls_v3_SPIFFECertValidatorConfig>
            Secret: MessageTypeDefinition<_envoy_extensions_transport_sockets_tls_v3_SecretInput, _envoy_extensions_transport_sockets_tls_v3_Secret>
            TlsCertificate: MessageTypeDefinition<_envoy_extensions_transport_sockets_tls_v3_TlsCertificateInput, _envoy_extensions_transport_sockets_tls_v3_TlsCertificate>
          }
        }
      }
    }
    service: {
      discovery: {
        v3: {
          DeltaDiscoveryRequest: MessageTypeDefinition<_envoy_service_discovery_v3_DeltaDiscoveryRequestInput, _envoy_service_discovery_v3_DeltaDiscoveryRequest>
          DeltaDiscoveryResponse: MessageTypeDefinition<_envoy_service_discovery_v3_DeltaDiscoveryResponseInput, _envoy_service_discovery_v3_DeltaDiscoveryResponse>
          DiscoveryRequest: MessageTypeDefinition<_envoy_service_discovery_v3_DiscoveryRequestInput, _envoy_service_discovery_v3_DiscoveryRequest>
          DiscoveryResponse: MessageTypeDefinition<_envoy_service_discovery_v3_DiscoveryResponseInput, _envoy_service_discovery_v3_DiscoveryResponse>
          Resource: MessageTypeDefinition<_envoy_service_discovery_v3_ResourceInput, _envoy_service_discovery_v3_Resource>
        }
      }
      secret: {
        v3: {
          SecretDiscoveryService: SubtypeConstructor<typeof grpc.Client, _envoy_service_secret_v3_SecretDiscoveryServiceClient> & { service: _envoy_service_secret_v3_SecretDiscoveryServiceDefinition }
        }
      }
    }
    type: {
      v3: {
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
      UInt32Value: MessageTypeDefinition<_google_protobuf_UInt32ValueInput, _google_protobuf_UInt32Value>
      UInt64Value: MessageTypeDefinition<_google_protobuf_UInt64ValueInput, _google_protobuf_UInt64Value>
      Value: MessageTypeDefinition<_google_protobuf_ValueInput, _google_protobuf_Value>
    }
    rpc: {
      Status: MessageTypeDefinition<_google_rpc_StatusInput, _google_rpc_Status>
    }
  }
}

