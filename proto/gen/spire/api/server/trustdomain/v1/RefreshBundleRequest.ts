// Original file: proto/spire/api/server/trustdomain/v1/trustdomain.proto


export interface RefreshBundleRequestInput {
  'trust_domain'?: (string);
}

export interface RefreshBundleRequest {
  'trust_domain': (string);
}
