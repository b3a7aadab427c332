// Original file: proto/steeple/server/authority/v1/authority.proto


export interface ForgetServerRequestInput {
  'server_key'?: (string);
}

export interface ForgetServerRequest {
  'server_key': (string);
}
