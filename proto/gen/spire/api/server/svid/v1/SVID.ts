// Original file: proto/spire/api/server/svid/v1/svid.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BatchNewWITSVIDRequestInput as _spire_api_server_svid_v1_BatchNewWITSVIDRequestInput, BatchNewWITSVIDRequest as _spire_api_server_svid_v1_BatchNewWITSVIDRequest } from '../../../../../spire/api/server/svid/v1/BatchNewWITSVIDRequest.ts';
import type { BatchNewWITSVIDResponseInput as _spire_api_server_svid_v1_BatchNewWITSVIDResponseInput, BatchNewWITSVIDResponse as _spire_api_server_svid_v1_BatchNewWITSVIDResponse } from '../../../../../spire/api/server/svid/v1/BatchNewWITSVIDResponse.ts';
import type { BatchNewX509SVIDRequestInput as _spire_api_server_svid_v1_BatchNewX509SVIDRequestInput, BatchNewX509SVIDRequest as _spire_api_server_svid_v1_BatchNewX509SVIDRequest } from '../../../../../spire/api/server/svid/v1/BatchNewX509SVIDRequest.ts';
import type { BatchNewX509SVIDResponseInput as _spire_api_server_svid_v1_BatchNewX509SVIDResponseInput, BatchNewX509SVIDResponse as _spire_api_server_svid_v1_BatchNewX509SVIDResponse } from '../../../../../spire/api/server/svid/v1/BatchNewX509SVIDResponse.ts';
import type { MintJWTSVIDRequestInput as _spire_api_server_svid_v1_MintJWTSVIDRequestInput, MintJWTSVIDRequest as _spire_api_server_svid_v1_MintJWTSVIDRequest } from '../../../../../spire/api/server/svid/v1/MintJWTSVIDRequest.ts';
import type { MintJWTSVIDResponseInput as _spire_api_server_svid_v1_MintJWTSVIDResponseInput, MintJWTSVIDResponse as _spire_api_server_svid_v1_MintJWTSVIDResponse } from '../../../../../spire/api/server/svid/v1/MintJWTSVIDResponse.ts';
import type { MintWITSVIDRequestInput as _spire_api_server_svid_v1_MintWITSVIDRequestInput, MintWITSVIDRequest as _spire_api_server_svid_v1_MintWITSVIDRequest } from '../../../../../spire/api/server/svid/v1/MintWITSVIDRequest.ts';
import type { MintWITSVIDResponseInput as _spire_api_server_svid_v1_MintWITSVIDResponseInput, MintWITSVIDResponse as _spire_api_server_svid_v1_MintWITSVIDResponse } from '../../../../../spire/api/server/svid/v1/MintWITSVIDResponse.ts';
import type { MintX509SVIDRequestInput as _spire_api_server_svid_v1_MintX509SVIDRequestInput, MintX509SVIDRequest as _spire_api_server_svid_v1_MintX509SVIDRequest } from '../../../../../spire/api/server/svid/v1/MintX509SVIDRequest.ts';
import type { MintX509SVIDResponseInput as _spire_api_server_svid_v1_MintX509SVIDResponseInput, MintX509SVIDResponse as _spire_api_server_svid_v1_MintX509SVIDResponse } from '../../../../../spire/api/server/svid/v1/MintX509SVIDResponse.ts';
import type { NewDownstreamX509CARequestInput as _spire_api_server_svid_v1_NewDownstreamX509CARequestInput, NewDownstreamX509CARequest as _spire_api_server_svid_v1_NewDownstreamX509CARequest } from '../../../../../spire/api/server/svid/v1/NewDownstreamX509CARequest.ts';
import type { NewDownstreamX509CAResponseInput as _spire_api_server_svid_v1_NewDownstreamX509CAResponseInput, NewDownstreamX509CAResponse as _spire_api_server_svid_v1_NewDownstreamX509CAResponse } from '../../../../../spire/api/server/svid/v1/NewDownstreamX509CAResponse.ts';
import type { NewJWTSVIDRequestInput as _spire_api_server_svid_v1_NewJWTSVIDRequestInput, NewJWTSVIDRequest as _spire_api_server_svid_v1_NewJWTSVIDRequest } from '../../../../../spire/api/server/svid/v1/NewJWTSVIDRequest.ts';
import type { NewJWTSVIDResponseInput as _spire_api_server_svid_v1_NewJWTSVIDResponseInput, NewJWTSVIDResponse as _spire_api_server_svid_v1_NewJWTSVIDResponse } from '../../../../../spire/api/server/svid/v1/NewJWTSVIDResponse.ts';

export interface SVIDClient extends grpc.Client {
  BatchNewWITSVID(argument: _spire_api_server_svid_v1_BatchNewWITSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewWITSVIDResponse>): grpc.ClientUnaryCall;
  BatchNewWITSVID(argument: _spire_api_server_svid_v1_BatchNewWITSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewWITSVIDResponse>): grpc.ClientUnaryCall;
  BatchNewWITSVID(argument: _spire_api_server_svid_v1_BatchNewWITSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewWITSVIDResponse>): grpc.ClientUnaryCall;
  BatchNewWITSVID(argument: _spire_api_server_svid_v1_BatchNewWITSVIDRequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewWITSVIDResponse>): grpc.ClientUnaryCall;
  batchNewWitsvid(argument: _spire_api_server_svid_v1_BatchNewWITSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewWITSVIDResponse>): grpc.ClientUnaryCall;
  batchNewWitsvid(argument: _spire_api_server_svid_v1_BatchNewWITSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewWITSVIDResponse>): grpc.ClientUnaryCall;
  batchNewWitsvid(argument: _spire_api_server_svid_v1_BatchNewWITSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewWITSVIDResponse>): grpc.ClientUnaryCall;
  batchNewWitsvid(argument: _spire_api_server_svid_v1_BatchNewWITSVIDRequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewWITSVIDResponse>): grpc.ClientUnaryCall;
  
  BatchNewX509SVID(argument: _spire_api_server_svid_v1_BatchNewX509SVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewX509SVIDResponse>): grpc.ClientUnaryCall;
  BatchNewX509SVID(argument: _spire_api_server_svid_v1_BatchNewX509SVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewX509SVIDResponse>): grpc.ClientUnaryCall;
  BatchNewX509SVID(argument: _spire_api_server_svid_v1_BatchNewX509SVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewX509SVIDResponse>): grpc.ClientUnaryCall;
  BatchNewX509SVID(argument: _spire_api_server_svid_v1_BatchNewX509SVIDRequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewX509SVIDResponse>): grpc.ClientUnaryCall;
  batchNewX509Svid(argument: _spire_api_server_svid_v1_BatchNewX509SVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewX509SVIDResponse>): grpc.ClientUnaryCall;
  batchNewX509Svid(argument: _spire_api_server_svid_v1_BatchNewX509SVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewX509SVIDResponse>): grpc.ClientUnaryCall;
  batchNewX509Svid(argument: _spire_api_server_svid_v1_BatchNewX509SVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewX509SVIDResponse>): grpc.ClientUnaryCall;
  batchNewX509Svid(argument: _spire_api_server_svid_v1_BatchNewX509SVIDRequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_BatchNewX509SVIDResponse>): grpc.ClientUnaryCall;
  
  MintJWTSVID(argument: _spire_api_server_svid_v1_MintJWTSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintJWTSVIDResponse>): grpc.ClientUnaryCall;
  MintJWTSVID(argument: _spire_api_server_svid_v1_MintJWTSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintJWTSVIDResponse>): grpc.ClientUnaryCall;
  MintJWTSVID(argument: _spire_api_server_svid_v1_MintJWTSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintJWTSVIDResponse>): grpc.ClientUnaryCall;
  MintJWTSVID(argument: _spire_api_server_svid_v1_MintJWTSVIDRequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintJWTSVIDResponse>): grpc.ClientUnaryCall;
  mintJwtsvid(argument: _spire_api_server_svid_v1_MintJWTSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintJWTSVIDResponse>): grpc.ClientUnaryCall;
  mintJwtsvid(argument: _spire_api_server_svid_v1_MintJWTSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintJWTSVIDResponse>): grpc.ClientUnaryCall;
  mintJwtsvid(argument: _spire_api_server_svid_v1_MintJWTSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintJWTSVIDResponse>): grpc.ClientUnaryCall;
  mintJwtsvid(argument: _spire_api_server_svid_v1_MintJWTSVIDRequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintJWTSVIDResponse>): grpc.ClientUnaryCall;
  
  MintWITSVID(argument: _spire_api_server_svid_v1_MintWITSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintWITSVIDResponse>): grpc.ClientUnaryCall;
  MintWITSVID(argument: _spire_api_server_svid_v1_MintWITSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintWITSVIDResponse>): grpc.ClientUnaryCall;
  MintWITSVID(argument: _spire_api_server_svid_v1_MintWITSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintWITSVIDResponse>): grpc.ClientUnaryCall;
  MintWITSVID(argument: _spire_api_server_svid_v1_MintWITSVIDRequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintWITSVIDResponse>): grpc.ClientUnaryCall;
  mintWitsvid(argument: _spire_api_server_svid_v1_MintWITSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintWITSVIDResponse>): grpc.ClientUnaryCall;
  mintWitsvid(argument: _spire_api_server_svid_v1_MintWITSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintWITSVIDResponse>): grpc.ClientUnaryCall;
  mintWitsvid(argument: _spire_api_server_svid_v1_MintWITSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintWITSVIDResponse>): grpc.ClientUnaryCall;
  mintWitsvid(argument: _spire_api_server_svid_v1_MintWITSVIDRequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintWITSVIDResponse>): grpc.ClientUnaryCall;
  
  MintX509SVID(argument: _spire_api_server_svid_v1_MintX509SVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintX509SVIDResponse>): grpc.ClientUnaryCall;
  MintX509SVID(argument: _spire_api_server_svid_v1_MintX509SVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintX509SVIDResponse>): grpc.ClientUnaryCall;
  MintX509SVID(argument: _spire_api_server_svid_v1_MintX509SVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintX509SVIDResponse>): grpc.ClientUnaryCall;
  MintX509SVID(argument: _spire_api_server_svid_v1_MintX509SVIDRequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintX509SVIDResponse>): grpc.ClientUnaryCall;
  mintX509Svid(argument: _spire_api_server_svid_v1_MintX509SVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintX509SVIDResponse>): grpc.ClientUnaryCall;
  mintX509Svid(argument: _spire_api_server_svid_v1_MintX509SVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintX509SVIDResponse>): grpc.ClientUnaryCall;
  mintX509Svid(argument: _spire_api_server_svid_v1_MintX509SVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintX509SVIDResponse>): grpc.ClientUnaryCall;
  mintX509Svid(argument: _spire_api_server_svid_v1_MintX509SVIDRequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_MintX509SVIDResponse>): grpc.ClientUnaryCall;
  
  NewDownstreamX509CA(argument: _spire_api_server_svid_v1_NewDownstreamX509CARequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewDownstreamX509CAResponse>): grpc.ClientUnaryCall;
  NewDownstreamX509CA(argument: _spire_api_server_svid_v1_NewDownstreamX509CARequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewDownstreamX509CAResponse>): grpc.ClientUnaryCall;
  NewDownstreamX509CA(argument: _spire_api_server_svid_v1_NewDownstreamX509CARequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewDownstreamX509CAResponse>): grpc.ClientUnaryCall;
  NewDownstreamX509CA(argument: _spire_api_server_svid_v1_NewDownstreamX509CARequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewDownstreamX509CAResponse>): grpc.ClientUnaryCall;
  newDownstreamX509Ca(argument: _spire_api_server_svid_v1_NewDownstreamX509CARequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewDownstreamX509CAResponse>): grpc.ClientUnaryCall;
  newDownstreamX509Ca(argument: _spire_api_server_svid_v1_NewDownstreamX509CARequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewDownstreamX509CAResponse>): grpc.ClientUnaryCall;
  newDownstreamX509Ca(argument: _spire_api_server_svid_v1_NewDownstreamX509CARequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewDownstreamX509CAResponse>): grpc.ClientUnaryCall;
  newDownstreamX509Ca(argument: _spire_api_server_svid_v1_NewDownstreamX509CARequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewDownstreamX509CAResponse>): grpc.ClientUnaryCall;
  
  NewJWTSVID(argument: _spire_api_server_svid_v1_NewJWTSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewJWTSVIDResponse>): grpc.ClientUnaryCall;
  NewJWTSVID(argument: _spire_api_server_svid_v1_NewJWTSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewJWTSVIDResponse>): grpc.ClientUnaryCall;
  NewJWTSVID(argument: _spire_api_server_svid_v1_NewJWTSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewJWTSVIDResponse>): grpc.ClientUnaryCall;
  NewJWTSVID(argument: _spire_api_server_svid_v1_NewJWTSVIDRequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewJWTSVIDResponse>): grpc.ClientUnaryCall;
  newJwtsvid(argument: _spire_api_server_svid_v1_NewJWTSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewJWTSVIDResponse>): grpc.ClientUnaryCall;
  newJwtsvid(argument: _spire_api_server_svid_v1_NewJWTSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewJWTSVIDResponse>): grpc.ClientUnaryCall;
  newJwtsvid(argument: _spire_api_server_svid_v1_NewJWTSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewJWTSVIDResponse>): grpc.ClientUnaryCall;
  newJwtsvid(argument: _spire_api_server_svid_v1_NewJWTSVIDRequestInput, callback: grpc.requestCallback<_spire_api_server_svid_v1_NewJWTSVIDResponse>): grpc.ClientUnaryCall;
  
}

export interface SVIDHandlers extends grpc.UntypedServiceImplementation {
  BatchNewWITSVID: grpc.handleUnaryCall<_spire_api_server_svid_v1_BatchNewWITSVIDRequest, _spire_api_server_svid_v1_BatchNewWITSVIDResponseInput>;
  
  BatchNewX509SVID: grpc.handleUnaryCall<_spire_api_server_svid_v1_BatchNewX509SVIDRequest, _spire_api_server_svid_v1_BatchNewX509SVIDResponseInput>;
  
  MintJWTSVID: grpc.handleUnaryCall<_spire_api_server_svid_v1_MintJWTSVIDRequest, _spire_api_server_svid_v1_MintJWTSVIDResponseInput>;
  
  MintWITSVID: grpc.handleUnaryCall<_spire_api_server_svid_v1_MintWITSVIDRequest, _spire_api_server_svid_v1_MintWITSVIDResponseInput>;
  
  MintX509SVID: grpc.handleUnaryCall<_spire_api_server_svid_v1_MintX509SVIDRequest, _spire_api_server_svid_v1_MintX509SVIDResponseInput>;
  
  NewDownstreamX509CA: grpc.handleUnaryCall<_spire_api_server_svid_v1_NewDownstreamX509CARequest, _spire_api_server_svid_v1_NewDownstreamX509CAResponseInput>;
  
  NewJWTSVID: grpc.handleUnaryCall<_spire_api_server_svid_v1_NewJWTSVIDRequest, _spire_api_server_svid_v1_NewJWTSVIDResponseInput>;
  
}

export interface SVIDDefinition extends grpc.ServiceDefinition {
  BatchNewWITSVID: MethodDefinition<_spire_api_server_svid_v1_BatchNewWITSVIDRequestInput, _spire_api_server_svid_v1_BatchNewWITSVIDResponseInput, _spire_api_server_svid_v1_BatchNewWITSVIDRequest, _spire_api_server_svid_v1_BatchNewWITSVIDResponse>
  BatchNewX509SVID: MethodDefinition<_spire_api_server_svid_v1_BatchNewX509SVIDRequestInput, _spire_api_server_svid_v1_BatchNewX509SVIDResponseInput, _spire_api_server_svid_v1_BatchNewX509SVIDRequest, _spire_api_server_svid_v1_BatchNewX509SVIDResponse>
  MintJWTSVID: MethodDefinition<_spire_api_server_svid_v1_MintJWTSVIDRequestInput, _spire_api_server_svid_v1_MintJWTSVIDResponseInput, _spire_api_server_svid_v1_MintJWTSVIDRequest, _spire_api_server_svid_v1_MintJWTSVIDResponse>
  MintWITSVID: MethodDefinition<_spire_api_server_svid_v1_MintWITSVIDRequestInput, _spire_api_server_svid_v1_MintWITSVIDResponseInput, _spire_api_server_svid_v1_MintWITSVIDRequest, _spire_api_server_svid_v1_MintWITSVIDResponse>
  MintX509SVID: MethodDefinition<_spire_api_server_svid_v1_MintX509SVIDRequestInput, _spire_api_server_svid_v1_MintX509SVIDResponseInput, _spire_api_server_svid_v1_MintX509SVIDRequest, _spire_api_server_svid_v1_MintX509SVIDResponse>
  NewDownstreamX509CA: MethodDefinition<_spire_api_server_svid_v1_NewDownstreamX509CARequestInput, _spire_api_server_svid_v1_NewDownstreamX509CAResponseInput, _spire_api_server_svid_v1_NewDownstreamX509CARequest, _spire_api_server_svid_v1_NewDownstreamX509CAResponse>
  NewJWTSVID: MethodDefinition<_spire_api_server_svid_v1_NewJWTSVIDRequestInput, _spire_api_server_svid_v1_NewJWTSVIDResponseInput, _spire_api_server_svid_v1_NewJWTSVIDRequest, _spire_api_server_svid_v1_NewJWTSVIDResponse>
}
