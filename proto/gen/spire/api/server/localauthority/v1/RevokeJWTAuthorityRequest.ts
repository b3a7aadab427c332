// Original file: proto/spire/api/server/localauthority/v1/localauthority.proto


export interface RevokeJWTAuthorityRequestInput {
  'authority_id'?: (string);
}

export interface RevokeJWTAuthorityRequest {
  'authority_id': (string);
}
