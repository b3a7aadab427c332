// Original file: proto/linkerd2/identity.proto


export interface CertifyRequestInput {
  'identity'?: (string);
  'token'?: (Buffer | Uint8Array | string);
  'certificate_signing_request'?: (Buffer | Uint8Array | string);
}

export interface CertifyRequest {
  'identity': (string);
  'token': (Buffer);
  'certificate_signing_request': (Buffer);
}
