// Original file: proto/spire/api/server/localauthority/v1/localauthority.proto


export interface ActivateJWTAuthorityRequestInput {
  'authority_id'?: (string);
}

export interface ActivateJWTAuthorityRequest {
  'authority_id': (string);
}
