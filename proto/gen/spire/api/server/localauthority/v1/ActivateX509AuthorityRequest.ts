// Original file: proto/spire/api/server/localauthority/v1/localauthority.proto


export interface ActivateX509AuthorityRequestInput {
  'authority_id'?: (string);
}

export interface ActivateX509AuthorityRequest {
  'authority_id': (string);
}
