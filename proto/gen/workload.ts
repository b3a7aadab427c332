import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { JWTBundlesRequestInput as _JWTBundlesRequestInput, JWTBundlesRequest as _JWTBundlesRequest } from './JWTBundlesRequest.ts';
import type { JWTBundlesResponseInput as _JWTBundlesResponseInput, JWTBundlesResponse as _JWTBundlesResponse } from './JWTBundlesResponse.ts';
import type { JWTSVIDInput as _JWTSVIDInput, JWTSVID as _JWTSVID } from './JWTSVID.ts';
import type { JWTSVIDRequestInput as _JWTSVIDRequestInput, JWTSVIDRequest as _JWTSVIDRequest } from './JWTSVIDRequest.ts';
import type { JWTSVIDResponseInput as _JWTSVIDResponseInput, JWTSVIDResponse as _JWTSVIDResponse } from './JWTSVIDResponse.ts';
import type { SpiffeWorkloadAPIClient as _SpiffeWorkloadAPIClient, SpiffeWorkloadAPIDefinition as _SpiffeWorkloadAPIDefinition } from './SpiffeWorkloadAPI.ts';
import type { ValidateJWTSVIDRequestInput as _ValidateJWTSVIDRequestInput, ValidateJWTSVIDRequest as _ValidateJWTSVIDRequest } from './ValidateJWTSVIDRequest.ts';
import type { ValidateJWTSVIDResponseInput as _ValidateJWTSVIDResponseInput, ValidateJWTSVIDResponse as _ValidateJWTSVIDResponse } from './ValidateJWTSVIDResponse.ts';
import type { WITBundlesRequestInput as _WITBundlesRequestInput, WITBundlesRequest as _WITBundlesRequest } from './WITBundlesRequest.ts';
import type { WITBundlesResponseInput as _WITBundlesResponseInput, WITBundlesResponse as _WITBundlesResponse } from './WITBundlesResponse.ts';
import type { WITSVIDInput as _WITSVIDInput, WITSVID as _WITSVID } from './WITSVID.ts';
import type { WITSVIDRequestInput as _WITSVIDRequestInput, WITSVIDRequest as _WITSVIDRequest } from './WITSVIDRequest.ts';
import type { WITSVIDResponseInput as _WITSVIDResponseInput, WITSVIDResponse as _WITSVIDResponse } from './WITSVIDResponse.ts';
import type { X509BundlesRequestInput as _X509BundlesRequestInput, X509BundlesRequest as _X509BundlesRequest } from './X509BundlesRequest.ts';
import type { X509BundlesResponseInput as _X509BundlesResponseInput, X509BundlesResponse as _X509BundlesResponse } from './X509BundlesResponse.ts';
import type { X509SVIDInput as _X509SVIDInput, X509SVID as _X509SVID } from './X509SVID.ts';
import type { X509SVIDRequestInput as _X509SVIDRequestInput, X509SVIDRequest as _X509SVIDRequest } from './X509SVIDRequest.ts';
import type { X509SVIDResponseInput as _X509SVIDResponseInput, X509SVIDResponse as _X509SVIDResponse } from './X509SVIDResponse.ts';
import type { ListValueInput as _google_protobuf_ListValueInput, ListValue as _google_protobuf_ListValue } from './google/protobuf/ListValue.ts';
import type { StructInput as _google_protobuf_StructInput, Struct as _google_protobuf_Struct } from './google/protobuf/Struct.ts';
import type { ValueInput as _google_protobuf_ValueInput, Value as _google_protobuf_Value } from './google/protobuf/Value.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  JWTBundlesRequest: MessageTypeDefinition<_JWTBundlesRequestInput, _JWTBundlesRequest>
  JWTBundlesResponse: MessageTypeDefinition<_JWTBundlesResponseInput, _JWTBundlesResponse>
  JWTSVID: MessageTypeDefinition<_JWTSVIDInput, _JWTSVID>
  JWTSVIDRequest: MessageTypeDefinition<_JWTSVIDRequestInput, _JWTSVIDRequest>
  JWTSVIDResponse: MessageTypeDefinition<_JWTSVIDResponseInput, _JWTSVIDResponse>
  SpiffeWorkloadAPI: SubtypeConstructor<typeof grpc.Client, _SpiffeWorkloadAPIClient> & { service: _SpiffeWorkloadAPIDefinition }
  ValidateJWTSVIDRequest: MessageTypeDefinition<_ValidateJWTSVIDRequestInput, _ValidateJWTSVIDRequest>
  ValidateJWTSVIDResponse: MessageTypeDefinition<_ValidateJWTSVIDResponseInput, _ValidateJWTSVIDResponse>
  WITBundlesRequest: MessageTypeDefinition<_WITBundlesRequestInput, _WITBundlesRequest>
  WITBundlesResponse: MessageTypeDefinition<_WITBundlesResponseInput, _WITBundlesResponse>
  WITSVID: MessageTypeDefinition<_WITSVIDInput, _WITSVID>
  WITSVIDRequest: MessageTypeDefinition<_WITSVIDRequestInput, _WITSVIDRequest>
  WITSVIDResponse: MessageTypeDefinition<_WITSVIDResponseInput, _WITSVIDResponse>
  X509BundlesRequest: MessageTypeDefinition<_X509BundlesRequestInput, _X509BundlesRequest>
  X509BundlesResponse: MessageTypeDefinition<_X509BundlesResponseInput, _X509BundlesResponse>
  X509SVID: MessageTypeDefinition<_X509SVIDInput, _X509SVID>
  X509SVIDRequest: MessageTypeDefinition<_X509SVIDRequestInput, _X509SVIDRequest>
  X509SVIDResponse: MessageTypeDefinition<_X509SVIDResponseInput, _X509SVIDResponse>
  google: {
    protobuf: {
      ListValue: MessageTypeDefinition<_google_protobuf_ListValueInput, _google_protobuf_ListValue>
      NullValue: EnumTypeDefinition
      Struct: MessageTypeDefinition<_google_protobuf_StructInput, _google_protobuf_Struct>
      Value: MessageTypeDefinition<_google_protobuf_ValueInput, _google_protobuf_Value>
    }
  }
}

