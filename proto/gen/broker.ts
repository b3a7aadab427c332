import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { AnyInput as _google_protobuf_AnyInput, Any as _google_protobuf_Any } from './google/protobuf/Any.ts';
import type { APIClient as _spiffe_broker_APIClient, APIDefinition as _spiffe_broker_APIDefinition } from './spiffe/broker/API.ts';
import type { FetchJWTSVIDRequestInput as _spiffe_broker_FetchJWTSVIDRequestInput, FetchJWTSVIDRequest as _spiffe_broker_FetchJWTSVIDRequest } from './spiffe/broker/FetchJWTSVIDRequest.ts';
import type { FetchJWTSVIDResponseInput as _spiffe_broker_FetchJWTSVIDResponseInput, FetchJWTSVIDResponse as _spiffe_broker_FetchJWTSVIDResponse } from './spiffe/broker/FetchJWTSVIDResponse.ts';
import type { JWTSVIDInput as _spiffe_broker_JWTSVIDInput, JWTSVID as _spiffe_broker_JWTSVID } from './spiffe/broker/JWTSVID.ts';
import type { KubernetesObjectKeyInput as _spiffe_broker_KubernetesObjectKeyInput, KubernetesObjectKey as _spiffe_broker_KubernetesObjectKey } from './spiffe/broker/KubernetesObjectKey.ts';
import type { KubernetesObjectReferenceInput as _spiffe_broker_KubernetesObjectReferenceInput, KubernetesObjectReference as _spiffe_broker_KubernetesObjectReference } from './spiffe/broker/KubernetesObjectReference.ts';
import type { KubernetesObjectTypeInput as _spiffe_broker_KubernetesObjectTypeInput, KubernetesObjectType as _spiffe_broker_KubernetesObjectType } from './spiffe/broker/KubernetesObjectType.ts';
import type { SubscribeToJWTBundlesRequestInput as _spiffe_broker_SubscribeToJWTBundlesRequestInput, SubscribeToJWTBundlesRequest as _spiffe_broker_SubscribeToJWTBundlesRequest } from './spiffe/broker/SubscribeToJWTBundlesRequest.ts';
import type { SubscribeToJWTBundlesResponseInput as _spiffe_broker_SubscribeToJWTBundlesResponseInput, SubscribeToJWTBundlesResponse as _spiffe_broker_SubscribeToJWTBundlesResponse } from './spiffe/broker/SubscribeToJWTBundlesResponse.ts';
import type { SubscribeToX509BundlesRequestInput as _spiffe_broker_SubscribeToX509BundlesRequestInput, SubscribeToX509BundlesRequest as _spiffe_broker_SubscribeToX509BundlesRequest } from './spiffe/broker/SubscribeToX509BundlesRequest.ts';
import type { SubscribeToX509BundlesResponseInput as _spiffe_broker_SubscribeToX509BundlesResponseInput, SubscribeToX509BundlesResponse as _spiffe_broker_SubscribeToX509BundlesResponse } from './spiffe/broker/SubscribeToX509BundlesResponse.ts';
import type { SubscribeToX509SVIDRequestInput as _spiffe_broker_SubscribeToX509SVIDRequestInput, SubscribeToX509SVIDRequest as _spiffe_broker_SubscribeToX509SVIDRequest } from './spiffe/broker/SubscribeToX509SVIDRequest.ts';
import type { SubscribeToX509SVIDResponseInput as _spiffe_broker_SubscribeToX509SVIDResponseInput, SubscribeToX509SVIDResponse as _spiffe_broker_SubscribeToX509SVIDResponse } from './spiffe/broker/SubscribeToX509SVIDResponse.ts';
import type { WorkloadPIDReferenceInput as _spiffe_broker_WorkloadPIDReferenceInput, WorkloadPIDReference as _spiffe_broker_WorkloadPIDReference } from './spiffe/broker/WorkloadPIDReference.ts';
import type { WorkloadReferenceInput as _spiffe_broker_WorkloadReferenceInput, WorkloadReference as _spiffe_broker_WorkloadReference } from './spiffe/broker/WorkloadReference.ts';
import type { X509SVIDInput as _spiffe_broker_X509SVIDInput, X509SVID as _spiffe_broker_X509SVID } from './spiffe/broker/X509SVID.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Any: MessageTypeDefinition<_google_protobuf_AnyInput, _google_protobuf_Any>
    }
  }
  spiffe: {
    broker: {
      API: SubtypeConstructor<typeof grpc.Client, _spiffe_broker_APIClient> & { service: _spiffe_broker_APIDefinition }
      FetchJWTSVIDRequest: MessageTypeDefinition<_spiffe_broker_FetchJWTSVIDRequestInput, _spiffe_broker_FetchJWTSVIDRequest>
      FetchJWTSVIDResponse: MessageTypeDefinition<_spiffe_broker_FetchJWTSVIDResponseInput, _spiffe_broker_FetchJWTSVIDResponse>
      JWTSVID: MessageTypeDefinition<_spiffe_broker_JWTSVIDInput, _spiffe_broker_JWTSVID>
      KubernetesObjectKey: MessageTypeDefinition<_spiffe_broker_KubernetesObjectKeyInput, _spiffe_broker_KubernetesObjectKey>
      KubernetesObjectReference: MessageTypeDefinition<_spiffe_broker_KubernetesObjectReferenceInput, _spiffe_broker_KubernetesObjectReference>
      KubernetesObjectType: MessageTypeDefinition<_spiffe_broker_KubernetesObjectTypeInput, _spiffe_broker_KubernetesObjectType>
      SubscribeToJWTBundlesRequest: MessageTypeDefinition<_spiffe_broker_SubscribeToJWTBundlesRequestInput, _spiffe_broker_SubscribeToJWTBundlesRequest>
      SubscribeToJWTBundlesResponse: MessageTypeDefinition<_spiffe_broker_SubscribeToJWTBundlesResponseInput, _spiffe_broker_SubscribeToJWTBundlesResponse>
      SubscribeToX509BundlesRequest: MessageTypeDefinition<_spiffe_broker_SubscribeToX509BundlesRequestInput, _spiffe_broker_SubscribeToX509BundlesRequest>
      SubscribeToX509BundlesResponse: MessageTypeDefinition<_spiffe_broker_SubscribeToX509BundlesResponseInput, _spiffe_broker_SubscribeToX509BundlesResponse>
      SubscribeToX509SVIDRequest: MessageTypeDefinition<_spiffe_broker_SubscribeToX509SVIDRequestInput, _spiffe_broker_SubscribeToX509SVIDRequest>
      SubscribeToX509SVIDResponse: MessageTypeDefinition<_spiffe_broker_SubscribeToX509SVIDResponseInput, _spiffe_broker_SubscribeToX509SVIDResponse>
      WorkloadPIDReference: MessageTypeDefinition<_spiffe_broker_WorkloadPIDReferenceInput, _spiffe_broker_WorkloadPIDReference>
      WorkloadReference: MessageTypeDefinition<_spiffe_broker_WorkloadReferenceInput, _spiffe_broker_WorkloadReference>
      X509SVID: MessageTypeDefinition<_spiffe_broker_X509SVIDInput, _spiffe_broker_X509SVID>
    }
  }
}

