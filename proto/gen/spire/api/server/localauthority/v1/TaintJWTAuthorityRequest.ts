// Original file: proto/spire/api/server/localauthority/v1/localauthority.proto


export interface TaintJWTAuthorityRequestInput {
  'authority_id'?: (string);
}

export interface TaintJWTAuthorityRequest {
  'authority_id': (string);
}
