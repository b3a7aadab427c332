// Original file: proto/spire/api/server/trustdomain/v1/trustdomain.proto


export interface BatchDeleteFederationRelationshipRequestInput {
  'trust_domains'?: (string)[];
}

export interface BatchDeleteFederationRelationshipRequest {
  'trust_domains': (string)[];
}
