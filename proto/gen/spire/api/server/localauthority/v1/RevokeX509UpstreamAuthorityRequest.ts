// Original file: proto/spire/api/server/localauthority/v1/localauthority.proto


export interface RevokeX509UpstreamAuthorityRequestInput {
  'subject_key_id'?: (string);
}

export interface RevokeX509UpstreamAuthorityRequest {
  'subject_key_id': (string);
}
