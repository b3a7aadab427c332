// Original file: proto/steeple/server/authority/v1/authority.proto


export interface TakeStepResponseInput {
  'authority_id'?: (string);
}

export interface TakeStepResponse {
  'authority_id': (string);
}
