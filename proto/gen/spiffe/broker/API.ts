// Original file: proto/spiffe/broker/broker.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { FetchJWTSVIDRequestInput as _spiffe_broker_FetchJWTSVIDRequestInput, FetchJWTSVIDRequest as _spiffe_broker_FetchJWTSVIDRequest } from '../../spiffe/broker/FetchJWTSVIDRequest.ts';
import type { FetchJWTSVIDResponseInput as _spiffe_broker_FetchJWTSVIDResponseInput, FetchJWTSVIDResponse as _spiffe_broker_FetchJWTSVIDResponse } from '../../spiffe/broker/FetchJWTSVIDResponse.ts';
import type { SubscribeToJWTBundlesRequestInput as _spiffe_broker_SubscribeToJWTBundlesRequestInput, SubscribeToJWTBundlesRequest as _spiffe_broker_SubscribeToJWTBundlesRequest } from '../../spiffe/broker/SubscribeToJWTBundlesRequest.ts';
import type { SubscribeToJWTBundlesResponseInput as _spiffe_broker_SubscribeToJWTBundlesResponseInput, SubscribeToJWTBundlesResponse as _spiffe_broker_SubscribeToJWTBundlesResponse } from '../../spiffe/broker/SubscribeToJWTBundlesResponse.ts';
import type { SubscribeToX509BundlesRequestInput as _spiffe_broker_SubscribeToX509BundlesRequestInput, SubscribeToX509BundlesRequest as _spiffe_broker_SubscribeToX509BundlesRequest } from '../../spiffe/broker/SubscribeToX509BundlesRequest.ts';
import type { SubscribeToX509BundlesResponseInput as _spiffe_broker_SubscribeToX509BundlesResponseInput, SubscribeToX509BundlesResponse as _spiffe_broker_SubscribeToX509BundlesResponse } from '../../spiffe/broker/SubscribeToX509BundlesResponse.ts';
import type { SubscribeToX509SVIDRequestInput as _spiffe_broker_SubscribeToX509SVIDRequestInput, SubscribeToX509SVIDRequest as _spiffe_broker_SubscribeToX509SVIDRequest } from '../../spiffe/broker/SubscribeToX509SVIDRequest.ts';
import type { SubscribeToX509SVIDResponseInput as _spiffe_broker_SubscribeToX509SVIDResponseInput, SubscribeToX509SVIDResponse as _spiffe_broker_SubscribeToX509SVIDResponse } from '../../spiffe/broker/SubscribeToX509SVIDResponse.ts';

export interface APIClient extends grpc.Client {
  FetchJWTSVID(argument: _spiffe_broker_FetchJWTSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spiffe_broker_FetchJWTSVIDResponse>): grpc.ClientUnaryCall;
  FetchJWTSVID(argument: _spiffe_broker_FetchJWTSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spiffe_broker_FetchJWTSVIDResponse>): grpc.ClientUnaryCall;
  FetchJWTSVID(argument: _spiffe_broker_FetchJWTSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spiffe_broker_FetchJWTSVIDResponse>): grpc.ClientUnaryCall;
  FetchJWTSVID(argument: _spiffe_broker_FetchJWTSVIDRequestInput, callback: grpc.requestCallback<_spiffe_broker_FetchJWTSVIDResponse>): grpc.ClientUnaryCall;
  fetchJwtsvid(argument: _spiffe_broker_FetchJWTSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_spiffe_broker_FetchJWTSVIDResponse>): grpc.ClientUnaryCall;
  fetchJwtsvid(argument: _spiffe_broker_FetchJWTSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_spiffe_broker_FetchJWTSVIDResponse>): grpc.ClientUnaryCall;
  fetchJwtsvid(argument: _spiffe_broker_FetchJWTSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_spiffe_broker_FetchJWTSVIDResponse>): grpc.ClientUnaryCall;
  fetchJwtsvid(argument: _spiffe_broker_FetchJWTSVIDRequestInput, callback: grpc.requestCallback<_spiffe_broker_FetchJWTSVIDResponse>): grpc.ClientUnaryCall;
  
  SubscribeToJWTBundles(argument: _spiffe_broker_SubscribeToJWTBundlesRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_spiffe_broker_SubscribeToJWTBundlesResponse>;
  SubscribeToJWTBundles(argument: _spiffe_broker_SubscribeToJWTBundlesRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_spiffe_broker_SubscribeToJWTBundlesResponse>;
  subscribeToJwtBundles(argument: _spiffe_broker_SubscribeToJWTBundlesRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_spiffe_broker_SubscribeToJWTBundlesResponse>;
  subscribeToJwtBundles(argument: _spiffe_broker_SubscribeToJWTBundlesRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_spiffe_broker_SubscribeToJWTBundlesResponse>;
  
  SubscribeToX509Bundles(argument: _spiffe_broker_SubscribeToX509BundlesRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_spiffe_broker_SubscribeToX509BundlesResponse>;
  SubscribeToX509Bundles(argument: _spiffe_broker_SubscribeToX509BundlesRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_spiffe_broker_SubscribeToX509BundlesResponse>;
  subscribeToX509Bundles(argument: _spiffe_broker_SubscribeToX509BundlesRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_spiffe_broker_SubscribeToX509BundlesResponse>;
  subscribeToX509Bundles(argument: _spiffe_broker_SubscribeToX509BundlesRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_spiffe_broker_SubscribeToX509BundlesResponse>;
  
  SubscribeToX509SVID(argument: _spiffe_broker_SubscribeToX509SVIDRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_spiffe_broker_SubscribeToX509SVIDResponse>;
  SubscribeToX509SVID(argument: _spiffe_broker_SubscribeToX509SVIDRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_spiffe_broker_SubscribeToX509SVIDResponse>;
  subscribeToX509Svid(argument: _spiffe_broker_SubscribeToX509SVIDRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_spiffe_broker_SubscribeToX509SVIDResponse>;
  subscribeToX509Svid(argument: _spiffe_broker_SubscribeToX509SVIDRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_spiffe_broker_SubscribeToX509SVIDResponse>;
  
}

export interface APIHandlers extends grpc.UntypedServiceImplementation {
  FetchJWTSVID: grpc.handleUnaryCall<_spiffe_broker_FetchJWTSVIDRequest, _spiffe_broker_FetchJWTSVIDResponseInput>;
  
  SubscribeToJWTBundles: grpc.handleServerStreamingCall<_spiffe_broker_SubscribeToJWTBundlesRequest, _spiffe_broker_SubscribeToJWTBundlesResponseInput>;
  
  SubscribeToX509Bundles: grpc.handleServerStreamingCall<_spiffe_broker_SubscribeToX509BundlesRequest, _spiffe_broker_SubscribeToX509BundlesResponseInput>;
  
  SubscribeToX509SVID: grpc.handleServerStreamingCall<_spiffe_broker_SubscribeToX509SVIDRequest, _spiffe_broker_SubscribeToX509SVIDResponseInput>;
  
}

export interface APIDefinition extends grpc.ServiceDefinition {
  FetchJWTSVID: MethodDefinition<_spiffe_broker_FetchJWTSVIDRequestInput, _spiffe_broker_FetchJWTSVIDResponseInput, _spiffe_broker_FetchJWTSVIDRequest, _spiffe_broker_FetchJWTSVIDResponse>
  SubscribeToJWTBundles: MethodDefinition<_spiffe_broker_SubscribeToJWTBundlesRequestInput, _spiffe_broker_SubscribeToJWTBundlesResponseInput, _spiffe_broker_SubscribeToJWTBundlesRequest, _spiffe_broker_SubscribeToJWTBundlesResponse>
  SubscribeToX509Bundles: MethodDefinition<_spiffe_broker_SubscribeToX509BundlesRequestInput, _spiffe_broker_SubscribeToX509BundlesResponseInput, _spiffe_broker_SubscribeToX509BundlesRequest, _spiffe_broker_SubscribeToX509BundlesResponse>
  SubscribeToX509SVID: MethodDefinition<_spiffe_broker_SubscribeToX509SVIDRequestInput, _spiffe_broker_SubscribeToX509SVIDResponseInput, _spiffe_broker_SubscribeToX509SVIDRequest, _spiffe_broker_SubscribeToX509SVIDResponse>
}
