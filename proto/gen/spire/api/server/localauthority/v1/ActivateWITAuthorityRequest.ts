// Original file: proto/spire/api/server/localauthority/v1/localauthority.proto


export interface ActivateWITAuthorityRequestInput {
  'authority_id'?: (string);
}

export interface ActivateWITAuthorityRequest {
  'authority_id': (string);
}
