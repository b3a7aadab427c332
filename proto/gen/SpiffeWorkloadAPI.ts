// Original file: proto/workload/workload.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { JWTBundlesRequestInput as _JWTBundlesRequestInput, JWTBundlesRequest as _JWTBundlesRequest } from './JWTBundlesRequest.ts';
import type { JWTBundlesResponseInput as _JWTBundlesResponseInput, JWTBundlesResponse as _JWTBundlesResponse } from './JWTBundlesResponse.ts';
import type { JWTSVIDRequestInput as _JWTSVIDRequestInput, JWTSVIDRequest as _JWTSVIDRequest } from './JWTSVIDRequest.ts';
import type { JWTSVIDResponseInput as _JWTSVIDResponseInput, JWTSVIDResponse as _JWTSVIDResponse } from './JWTSVIDResponse.ts';
import type { ValidateJWTSVIDRequestInput as _ValidateJWTSVIDRequestInput, ValidateJWTSVIDRequest as _ValidateJWTSVIDRequest } from './ValidateJWTSVIDRequest.ts';
import type { ValidateJWTSVIDResponseInput as _ValidateJWTSVIDResponseInput, ValidateJWTSVIDResponse as _ValidateJWTSVIDResponse } from './ValidateJWTSVIDResponse.ts';
import type { WITBundlesRequestInput as _WITBundlesRequestInput, WITBundlesRequest as _WITBundlesRequest } from './WITBundlesRequest.ts';
import type { WITBundlesResponseInput as _WITBundlesResponseInput, WITBundlesResponse as _WITBundlesResponse } from './WITBundlesResponse.ts';
import type { WITSVIDRequestInput as _WITSVIDRequestInput, WITSVIDRequest as _WITSVIDRequest } from './WITSVIDRequest.ts';
import type { WITSVIDResponseInput as _WITSVIDResponseInput, WITSVIDResponse as _WITSVIDResponse } from './WITSVIDResponse.ts';
import type { X509BundlesRequestInput as _X509BundlesRequestInput, X509BundlesRequest as _X509BundlesRequest } from './X509BundlesRequest.ts';
import type { X509BundlesResponseInput as _X509BundlesResponseInput, X509BundlesResponse as _X509BundlesResponse } from './X509BundlesResponse.ts';
import type { X509SVIDRequestInput as _X509SVIDRequestInput, X509SVIDRequest as _X509SVIDRequest } from './X509SVIDRequest.ts';
import type { X509SVIDResponseInput as _X509SVIDResponseInput, X509SVIDResponse as _X509SVIDResponse } from './X509SVIDResponse.ts';

export interface SpiffeWorkloadAPIClient extends grpc.Client {
  FetchJWTBundles(argument: _JWTBundlesRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_JWTBundlesResponse>;
  FetchJWTBundles(argument: _JWTBundlesRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_JWTBundlesResponse>;
  fetchJwtBundles(argument: _JWTBundlesRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_JWTBundlesResponse>;
  fetchJwtBundles(argument: _JWTBundlesRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_JWTBundlesResponse>;
  
  FetchJWTSVID(argument: _JWTSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_JWTSVIDResponse>): grpc.ClientUnaryCall;
  FetchJWTSVID(argument: _JWTSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_JWTSVIDResponse>): grpc.ClientUnaryCall;
  FetchJWTSVID(argument: _JWTSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_JWTSVIDResponse>): grpc.ClientUnaryCall;
  FetchJWTSVID(argument: _JWTSVIDRequestInput, callback: grpc.requestCallback<_JWTSVIDResponse>): grpc.ClientUnaryCall;
  fetchJwtsvid(argument: _JWTSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_JWTSVIDResponse>): grpc.ClientUnaryCall;
  fetchJwtsvid(argument: _JWTSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_JWTSVIDResponse>): grpc.ClientUnaryCall;
  fetchJwtsvid(argument: _JWTSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_JWTSVIDResponse>): grpc.ClientUnaryCall;
  fetchJwtsvid(argument: _JWTSVIDRequestInput, callback: grpc.requestCallback<_JWTSVIDResponse>): grpc.ClientUnaryCall;
  
  FetchWITBundles(argument: _WITBundlesRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_WITBundlesResponse>;
  FetchWITBundles(argument: _WITBundlesRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_WITBundlesResponse>;
  fetchWitBundles(argument: _WITBundlesRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_WITBundlesResponse>;
  fetchWitBundles(argument: _WITBundlesRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_WITBundlesResponse>;
  
  FetchWITSVID(argument: _WITSVIDRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_WITSVIDResponse>;
  FetchWITSVID(argument: _WITSVIDRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_WITSVIDResponse>;
  fetchWitsvid(argument: _WITSVIDRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_WITSVIDResponse>;
  fetchWitsvid(argument: _WITSVIDRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_WITSVIDResponse>;
  
  FetchX509Bundles(argument: _X509BundlesRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_X509BundlesResponse>;
  FetchX509Bundles(argument: _X509BundlesRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_X509BundlesResponse>;
  fetchX509Bundles(argument: _X509BundlesRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_X509BundlesResponse>;
  fetchX509Bundles(argument: _X509BundlesRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_X509BundlesResponse>;
  
  FetchX509SVID(argument: _X509SVIDRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_X509SVIDResponse>;
  FetchX509SVID(argument: _X509SVIDRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_X509SVIDResponse>;
  fetchX509Svid(argument: _X509SVIDRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_X509SVIDResponse>;
  fetchX509Svid(argument: _X509SVIDRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_X509SVIDResponse>;
  
  ValidateJWTSVID(argument: _ValidateJWTSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_ValidateJWTSVIDResponse>): grpc.ClientUnaryCall;
  ValidateJWTSVID(argument: _ValidateJWTSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_ValidateJWTSVIDResponse>): grpc.ClientUnaryCall;
  ValidateJWTSVID(argument: _ValidateJWTSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_ValidateJWTSVIDResponse>): grpc.ClientUnaryCall;
  ValidateJWTSVID(argument: _ValidateJWTSVIDRequestInput, callback: grpc.requestCallback<_ValidateJWTSVIDResponse>): grpc.ClientUnaryCall;
  validateJwtsvid(argument: _ValidateJWTSVIDRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_ValidateJWTSVIDResponse>): grpc.ClientUnaryCall;
  validateJwtsvid(argument: _ValidateJWTSVIDRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_ValidateJWTSVIDResponse>): grpc.ClientUnaryCall;
  validateJwtsvid(argument: _ValidateJWTSVIDRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_ValidateJWTSVIDResponse>): grpc.ClientUnaryCall;
  validateJwtsvid(argument: _ValidateJWTSVIDRequestInput, callback: grpc.requestCallback<_ValidateJWTSVIDResponse>): grpc.ClientUnaryCall;
  
}

export interface SpiffeWorkloadAPIHandlers extends grpc.UntypedServiceImplementation {
  FetchJWTBundles: grpc.handleServerStreamingCall<_JWTBundlesRequest, _JWTBundlesResponseInput>;
  
  FetchJWTSVID: grpc.handleUnaryCall<_JWTSVIDRequest, _JWTSVIDResponseInput>;
  
  FetchWITBundles: grpc.handleServerStreamingCall<_WITBundlesRequest, _WITBundlesResponseInput>;
  
  FetchWITSVID: grpc.handleServerStreamingCall<_WITSVIDRequest, _WITSVIDResponseInput>;
  
  FetchX509Bundles: grpc.handleServerStreamingCall<_X509BundlesRequest, _X509BundlesResponseInput>;
  
  FetchX509SVID: grpc.handleServerStreamingCall<_X509SVIDRequest, _X509SVIDResponseInput>;
  
  ValidateJWTSVID: grpc.handleUnaryCall<_ValidateJWTSVIDRequest, _ValidateJWTSVIDResponseInput>;
  
}

export interface SpiffeWorkloadAPIDefinition extends grpc.ServiceDefinition {
  FetchJWTBundles: MethodDefinition<_JWTBundlesRequestInput, _JWTBundlesResponseInput, _JWTBundlesRequest, _JWTBundlesResponse>
  FetchJWTSVID: MethodDefinition<_JWTSVIDRequestInput, _JWTSVIDResponseInput, _JWTSVIDRequest, _JWTSVIDResponse>
  FetchWITBundles: MethodDefinition<_WITBundlesRequestInput, _WITBundlesResponseInput, _WITBundlesRequest, _WITBundlesResponse>
  FetchWITSVID: MethodDefinition<_WITSVIDRequestInput, _WITSVIDResponseInput, _WITSVIDRequest, _WITSVIDResponse>
  FetchX509Bundles: MethodDefinition<_X509BundlesRequestInput, _X509BundlesResponseInput, _X509BundlesRequest, _X509BundlesResponse>
  FetchX509SVID: MethodDefinition<_X509SVIDRequestInput, _X509SVIDResponseInput, _X509SVIDRequest, _X509SVIDResponse>
  ValidateJWTSVID: MethodDefinition<_ValidateJWTSVIDRequestInput, _ValidateJWTSVIDResponseInput, _ValidateJWTSVIDRequest, _ValidateJWTSVIDResponse>
}
