// Original file: proto/linkerd2/identity.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CertifyRequestInput as _io_linkerd_proxy_identity_CertifyRequestInput, CertifyRequest as _io_linkerd_proxy_identity_CertifyRequest } from '../../../../io/linkerd/proxy/identity/CertifyRequest.ts';
import type { CertifyResponseInput as _io_linkerd_proxy_identity_CertifyResponseInput, CertifyResponse as _io_linkerd_proxy_identity_CertifyResponse } from '../../../../io/linkerd/proxy/identity/CertifyResponse.ts';

export interface IdentityClient extends grpc.Client {
  Certify(argument: _io_linkerd_proxy_identity_CertifyRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_io_linkerd_proxy_identity_CertifyResponse>): grpc.ClientUnaryCall;
  Certify(argument: _io_linkerd_proxy_identity_CertifyRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_io_linkerd_proxy_identity_CertifyResponse>): grpc.ClientUnaryCall;
  Certify(argument: _io_linkerd_proxy_identity_CertifyRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_io_linkerd_proxy_identity_CertifyResponse>): grpc.ClientUnaryCall;
  Certify(argument: _io_linkerd_proxy_identity_CertifyRequestInput, callback: grpc.requestCallback<_io_linkerd_proxy_identity_CertifyResponse>): grpc.ClientUnaryCall;
  certify(argument: _io_linkerd_proxy_identity_CertifyRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_io_linkerd_proxy_identity_CertifyResponse>): grpc.ClientUnaryCall;
  certify(argument: _io_linkerd_proxy_identity_CertifyRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_io_linkerd_proxy_identity_CertifyResponse>): grpc.ClientUnaryCall;
  certify(argument: _io_linkerd_proxy_identity_CertifyRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_io_linkerd_proxy_identity_CertifyResponse>): grpc.ClientUnaryCall;
  certify(argument: _io_linkerd_proxy_identity_CertifyRequestInput, callback: grpc.requestCallback<_io_linkerd_proxy_identity_CertifyResponse>): grpc.ClientUnaryCall;
  
}

export interface IdentityHandlers extends grpc.UntypedServiceImplementation {
  Certify: grpc.handleUnaryCall<_io_linkerd_proxy_identity_CertifyRequest, _io_linkerd_proxy_identity_CertifyResponseInput>;
  
}

export interface IdentityDefinition extends grpc.ServiceDefinition {
  Certify: MethodDefinition<_io_linkerd_proxy_identity_CertifyRequestInput, _io_linkerd_proxy_identity_CertifyResponseInput, _io_linkerd_proxy_identity_CertifyRequest, _io_linkerd_proxy_identity_CertifyResponse>
}
