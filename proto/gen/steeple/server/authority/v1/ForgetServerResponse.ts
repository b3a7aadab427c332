// Original file: proto/steeple/server/authority/v1/authority.proto


export interface ForgetServerResponseInput {
}

export interface ForgetServerResponse {
}
