// Original file: proto/steeple/server/federation/v1/federation.proto


export interface GetStandingRequestInput {
  'trust_domain'?: (string);
}

export interface GetStandingRequest {
  'trust_domain': (string);
}
