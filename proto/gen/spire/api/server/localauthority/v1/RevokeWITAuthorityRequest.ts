// Original file: proto/spire/api/server/localauthority/v1/localauthority.proto


export interface RevokeWITAuthorityRequestInput {
  'authority_id'?: (string);
}

export interface RevokeWITAuthorityRequest {
  'authority_id': (string);
}
