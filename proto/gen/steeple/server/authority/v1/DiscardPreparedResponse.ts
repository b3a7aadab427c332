// Original file: proto/steeple/server/authority/v1/authority.proto


export interface DiscardPreparedResponseInput {
  'authority_id'?: (string);
}

export interface DiscardPreparedResponse {
  'authority_id': (string);
}
