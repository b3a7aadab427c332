// Original file: proto/steeple/server/authority/v1/authority.proto


export interface ListServersRequestInput {
}

export interface ListServersRequest {
}
