// Original file: proto/istio/v1/auth/ca.proto


export interface IstioCertificateResponseInput {
  'cert_chain'?: (string)[];
}

export interface IstioCertificateResponse {
  'cert_chain': (string)[];
}
