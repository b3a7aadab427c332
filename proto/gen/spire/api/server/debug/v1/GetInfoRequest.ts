// Original file: proto/spire/api/server/debug/v1/debug.proto


export interface GetInfoRequestInput {
}

export interface GetInfoRequest {
}
