// Original file: proto/spire/api/server/localauthority/v1/localauthority.proto


export interface TaintX509UpstreamAuthorityRequestInput {
  'subject_key_id'?: (string);
}

export interface TaintX509UpstreamAuthorityRequest {
  'subject_key_id': (string);
}
