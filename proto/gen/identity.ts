import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { TimestampInput as _google_protobuf_TimestampInput, Timestamp as _google_protobuf_Timestamp } from './google/protobuf/Timestamp.ts';
import type { CertifyRequestInput as _io_linkerd_proxy_identity_CertifyRequestInput, CertifyRequest as _io_linkerd_proxy_identity_CertifyRequest } from './io/linkerd/proxy/identity/CertifyRequest.ts';
import type { CertifyResponseInput as _io_linkerd_proxy_identity_CertifyResponseInput, CertifyResponse as _io_linkerd_proxy_identity_CertifyResponse } from './io/linkerd/proxy/identity/CertifyResponse.ts';
import type { IdentityClient as _io_linkerd_proxy_identity_IdentityClient, IdentityDefinition as _io_linkerd_proxy_identity_IdentityDefinition } from './io/linkerd/proxy/identity/Identity.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Timestamp: MessageTypeDefinition<_google_protobuf_TimestampInput, _google_protobuf_Timestamp>
    }
  }
  io: {
    linkerd: {
      proxy: {
        identity: {
          CertifyRequest: MessageTypeDefinition<_io_linkerd_proxy_identity_CertifyRequestInput, _io_linkerd_proxy_identity_CertifyRequest>
          CertifyResponse: MessageTypeDefinition<_io_linkerd_proxy_identity_CertifyResponseInput, _io_linkerd_proxy_identity_CertifyResponse>
          Identity: SubtypeConstructor<typeof grpc.Client, _io_linkerd_proxy_identity_IdentityClient> & { service: _io_linkerd_proxy_identity_IdentityDefinition }
        }
      }
    }
  }
}

